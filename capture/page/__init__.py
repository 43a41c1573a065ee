"""The page: one HTML file that shows runs without a server or a network.

`console_text` reads a run's console with the place of each line, `run_data` all that the page shows of one
run, `document` puts the data, the scripts of `web/` and the charts' library into one file.

The scripts are plain modules without a build step: `document` joins them in the order of their imports.
`web/vendor` holds uPlot (MIT), unchanged.
"""
