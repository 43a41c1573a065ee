"""What all models of YAML files have in common.  Apart from `checked_yaml`, which needs YAML to read them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Checked(BaseModel):
    """A model in which a key that it doesn't have is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)
