"""The layers of the price book, read from where they lie: files, settings and installed packages."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from watchglass.config import Settings
from watchglass.errors import ConfigError
from watchglass.pricing.book import Layers, PriceBook
from watchglass.pricing.listed import ListedPrice
from watchglass.store.place import PRICES_FILE, TAKEN_GENAI, TAKEN_LITELLM
from watchglass.surfaces.prices_file import NOTHING, Stated, read_prices, read_stated

_LITELLM_MAP = "litellm/model_prices_and_context_window_backup.json"
"""The map as every `litellm` distribution carries it."""


def open_book(settings: Settings) -> PriceBook:
    """The book by these settings. Raises `ConfigError` naming the file that cannot be used."""
    path = stated_file(settings)
    return book_of(settings, read_layers(settings, read_stated(path) if path is not None else Stated()))


def book_of(settings: Settings, layers: Layers) -> PriceBook:
    """A book of these layers. Raises `ConfigError` for a map that cannot be used."""
    with usable(settings):
        return PriceBook(layers)


@contextmanager
def usable(settings: Settings) -> Generator[None]:
    """While layers are made a book of. Raises `ConfigError` for a list that cannot be used."""
    try:
        yield
    except ValueError as fault:
        where = settings.litellm_prices or _LITELLM_MAP
        if (Path(settings.data) / TAKEN_GENAI).exists():
            where += f" or {Path(settings.data) / TAKEN_GENAI}"
        raise ConfigError(f"{where} cannot be used: {fault}; name another with --litellm-prices") from None


def stated_file(settings: Settings) -> Path | None:
    """The file of the user's own prices, if there is one."""
    if settings.prices is not None:
        return Path(settings.prices)
    path = Path(settings.data) / PRICES_FILE
    return path if path.is_file() else None


def read_layers(
    settings: Settings, file: Stated, kept: Stated = NOTHING, imported: Sequence[ListedPrice] = ()
) -> Layers:
    """What the book is made of: of the user's prices those `kept` one by one go before the file's, and these
    before what was imported.
    """
    return Layers(
        (*kept.prices, *file.prices, *imported),
        read_facts(),
        _litellm(settings),
        (*kept.discounts, *file.discounts),
        _read(Path(settings.data) / TAKEN_GENAI),
    )


def read_facts() -> tuple[ListedPrice, ...]:
    """Our own dated facts, which ship with the program."""
    directory = facts_directory()
    return tuple(price for path in sorted(directory.glob("*.toml")) for price in read_prices(path))


def facts_directory() -> Path:
    """In an installed package beside its rooms; in a checkout at its top."""
    package = Path(__file__).resolve().parents[1]
    shipped = package / "prices"
    return shipped if shipped.is_dir() else package.parents[1] / "prices"


def _litellm(settings: Settings) -> bytes | None:
    if settings.litellm_prices is not None:
        path = Path(settings.litellm_prices)
        try:
            return path.read_bytes()
        except OSError as fault:
            raise ConfigError(
                f"{path} cannot be read ({fault}); name another with --litellm-prices"
            ) from None
    taken = _read(Path(settings.data) / TAKEN_LITELLM)
    if taken is not None:
        return taken
    try:
        # The file alone: importing the package takes seconds and may ask the network.
        found = Path(str(distribution("litellm").locate_file(_LITELLM_MAP)))
        return found.read_bytes()
    except (PackageNotFoundError, OSError):
        return None


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise ConfigError(f"{path} cannot be read ({fault}); mend it, or remove it") from None
