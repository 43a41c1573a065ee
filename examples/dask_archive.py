#!/usr/bin/env python3
"""An archive of logs, parsed by Dask on as many machines as its cluster has.

    pip install capture-metrics 'dask[distributed]'
    python dask_archive.py 'logs/*.log.gz' best.csv                         # on this machine
    python dask_archive.py 's3://bucket/logs/**/*.log' best.csv --scheduler tcp://head:8786

The paths are fsspec's: local, s3://, gs://, each with what fsspec wants installed for it.  What comes out is
the last and the lowest value of each metric of each log; change `summary` to what you need.
"""

import argparse
import csv

import fsspec
from distributed import Client, LocalCluster

import capture


def summary(path):
    """Rows of (log, metric, values, last, lowest); a log that can't be read is one row that says why."""
    found = {}
    try:
        with fsspec.open(path, "rb", compression="infer") as file:
            for record in capture.parse(file):
                for name, value in record.metrics.items():
                    count, _, lowest = found.get(name, (0, value, value))
                    found[name] = (count + 1, value, min(lowest, value))
    except (OSError, EOFError, ValueError) as error:
        return [(path, f"not read: {error}", 0, "", "")]
    return [(path, name, *values) for name, values in found.items()]


def main():
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("logs", help="a pattern of fsspec")
    options.add_argument("output", help="a CSV file")
    options.add_argument(
        "--scheduler", help="the address of a cluster (default: one of this machine's cores)"
    )
    options.add_argument("--workers", type=int, help="how many processes that cluster has")
    args = options.parse_args()

    paths = [file.full_name for file in fsspec.open_files(args.logs, "rb")]
    cluster = args.scheduler or LocalCluster(args.workers, threads_per_worker=1, dashboard_address=None)
    with Client(cluster) as client, open(args.output, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["log", "metric", "values", "last", "lowest"])
        for rows in client.gather(client.map(summary, paths)):
            table.writerows(rows)
    if not args.scheduler:
        cluster.close()
    print(f"{len(paths)} logs: {args.output}")


if __name__ == "__main__":
    main()
