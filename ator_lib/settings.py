"""Settings: ``ATOR_*`` variables and ``ator.toml``. Only entry points read them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ator_lib.errors import SettingsError


class Settings(BaseSettings):
    """Every setting; arguments win over the environment, that over ``ator.toml``."""

    model_config = SettingsConfigDict(env_prefix="ATOR_", toml_file="ator.toml", extra="forbid", frozen=True)

    data: Path = Field(Path("data"), description="Folder of the embedded store: database, results, run folders.")
    database_url: SecretStr | None = Field(
        None, description="postgresql://… of a team's registry; the default is SQLite in the data folder."
    )
    results: Literal["parquet", "postgres"] = Field(
        "parquet",
        description="Where new bulk results are kept: Parquet files in the data folder, or the PostgreSQL registry.",
    )
    server: str | None = Field(None, description="http(s)://… of an ATOR server, to be used in place of a store here.")
    token: SecretStr | None = Field(None, description="API token for that server.")
    default_location: str = Field("default", min_length=1, description="Location of runs that name none.")
    locations: Literal["on-demand", "declared"] = Field(
        "on-demand", description="Whether a run's unknown location is made with capacity 1, or is an error."
    )
    lease_s: float = Field(
        30.0, ge=3, le=3600, description="Seconds that a run outlives its executor's last heartbeat."
    )
    max_error_rate: float = Field(
        0.01, ge=0, le=1, description="A load run with a larger share of failed requests is a failure."
    )
    max_rejected_rate: float = Field(
        0.01, ge=0, le=1, description="An ingest with a larger share of rows that cannot be read changes nothing."
    )
    influx_url: str | None = Field(None, description="http(s)://… of the InfluxDB 2 that runs are exported to.")
    influx_bucket: str | None = Field(None, description="The bucket there.")
    influx_org: str = Field("-", description="The organisation there.")
    influx_token: SecretStr | None = Field(None, description="The token for it.")
    influx_mirror: bool = Field(False, description="Whether each run with results is exported as soon as it has ended.")
    chromium: str | None = Field(
        None, description="The Chromium that draws the figures of reports as pictures; default: the one found."
    )

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_default(cls, value: Any, info: ValidationInfo) -> Any:
        """Take an empty variable for "the default", also against ``ator.toml``."""
        return cls.model_fields[str(info.field_name)].default if value == "" else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, then the environment, then ``ator.toml``; no other source."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; ``None`` overrides are ignored.

    Raises
    ------
    SettingsError
        A variable, an argument or a line of ``ator.toml`` is invalid; the message names it.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        problems = "; ".join(_problem(details) for details in error.errors(include_input=False))
        raise SettingsError(f"invalid setting: {problems}") from None
    except ValueError as error:  # a TOML file that does not parse
        raise SettingsError(f"ator.toml cannot be read: {error}") from None


def _problem(details: Mapping[str, Any]) -> str:
    """Name the setting and its variable; the value may be a secret and is left out."""
    name = str(details["loc"][0]) if details["loc"] else "settings"
    return f"{name} (ATOR_{name.upper()}): {details['msg']}"
