"""Where the simulated people live: sub-district, villages, facilities, workers, households."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.testing.chance import choose, stream

if TYPE_CHECKING:
    from chw_tools.testing.assumptions import Assumptions

_KM_PER_DEGREE = 111.2
_SYLLABLES = ("Ka", "Mo", "Lu", "Te", "Za", "Ri", "Bo", "Ny", "Sa", "Di")
_ENDINGS = ("mbe", "ndo", "luka", "zira", "pota", "rere", "wala", "geni", "toba", "kuru")


@dataclass(frozen=True)
class Places:
    """Places of one part; each frame is indexed by position."""

    villages: pd.DataFrame
    facilities: pd.DataFrame
    workers: pd.DataFrame
    households: pd.DataFrame
    centre: tuple[float, float]


def draw_places(n_people: int, *, part: int, seed: int, assumed: Assumptions) -> Places:
    """The places in which ``n_people`` live."""
    rng = stream(seed, part, "places")
    centre = _centre(part, assumed)
    n_villages = max(1, round(n_people / assumed.number("programme.people_per_worker")))
    villages = pd.DataFrame({"name": [_village_name(part, i) for i in range(n_villages)]})
    spread = assumed.number("places.village_spread_km")
    villages["latitude"], villages["longitude"] = _around(rng, centre, spread, n_villages)
    villages["is_rural"] = np.arange(n_villages) < max(
        1, round(n_villages * assumed.number("places.rural_share"))
    )
    facilities = _facilities(rng, villages, centre, n_people, part, assumed)
    households = _households(rng, n_people, villages, facilities, assumed)
    workers = _workers(rng, villages, facilities, households, assumed)
    households["worker"] = _share_out(households, workers)
    return Places(villages, facilities, workers, households, centre)


def _centre(part: int, assumed: Assumptions) -> tuple[float, float]:
    latitude, longitude = assumed.numbers("programme.centre")
    step = assumed.number("places.part_spacing_km") / _KM_PER_DEGREE
    return latitude + step * (part % 8), longitude + step * (part // 8)


def _village_name(part: int, i: int) -> str:
    number = part * 31 + i
    first = _SYLLABLES[number % len(_SYLLABLES)]
    name = first + _ENDINGS[(number // len(_SYLLABLES)) % len(_ENDINGS)]
    turn = number // (len(_SYLLABLES) * len(_ENDINGS))
    return f"{name} {turn + 1}" if turn else name


def _around(
    rng: np.random.Generator, centre: tuple[float, float], spread_km: float, n: int
) -> tuple[np.ndarray, np.ndarray]:
    north, east = rng.normal(0, spread_km, (2, n)) / _KM_PER_DEGREE
    return centre[0] + north, centre[1] + east / np.cos(np.radians(centre[0]))


def _facilities(
    rng: np.random.Generator,
    villages: pd.DataFrame,
    centre: tuple[float, float],
    n_people: int,
    part: int,
    assumed: Assumptions,
) -> pd.DataFrame:
    n_posts = int(n_people // assumed.number("places.people_per_post"))
    at = rng.permutation(len(villages))[:n_posts]
    posts = villages.loc[at, ["latitude", "longitude"]].assign(kind="health_post", village=at)
    posts["name"] = "Health post " + villages.loc[at, "name"]
    kind = "hospital" if part == 0 else "health_centre"
    main = {"kind": kind, "village": -1, "latitude": centre[0], "longitude": centre[1]}
    main["name"] = "District hospital" if part == 0 else f"Health centre {part}"
    return pd.concat([pd.DataFrame([main]), posts], ignore_index=True)


def _households(
    rng: np.random.Generator,
    n_people: int,
    villages: pd.DataFrame,
    facilities: pd.DataFrame,
    assumed: Assumptions,
) -> pd.DataFrame:
    n = max(1, round(n_people / assumed.number("household.mean_size")))
    village = np.sort(choose(rng, rng.gamma(8.0, 1.0, len(villages)), n))
    frame = pd.DataFrame({"village": village})
    home = assumed.number("places.home_spread_km")
    north, east = rng.normal(0, home, (2, n)) / _KM_PER_DEGREE
    frame["latitude"] = villages["latitude"].to_numpy()[village] + north
    frame["longitude"] = villages["longitude"].to_numpy()[village] + east
    frame["is_rural"] = villages["is_rural"].to_numpy()[village]
    # Fifths are equal by construction over the part; towns hold more of the richer ones.
    score = rng.normal(0, 1, n) + np.where(frame["is_rural"], 0.0, 1.2)
    frame["wealth"] = 1 + (np.argsort(np.argsort(score)) * 5) // n
    wealth = frame["wealth"].to_numpy() - 1
    frame["safe_water"] = rng.random(n) < assumed.numbers("household.safe_water_by_wealth")[wealth]
    frame["clean_fuel"] = rng.random(n) < assumed.numbers("household.clean_fuel_by_wealth")[wealth]
    frame["facility"], frame["facility_km"] = _nearest(frame, facilities)
    return frame


def _nearest(homes: pd.DataFrame, places: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    # Flat-earth distance: within one sub-district the error is far below a metre in a hundred.
    north = homes["latitude"].to_numpy()[:, None] - places["latitude"].to_numpy()
    east = homes["longitude"].to_numpy()[:, None] - places["longitude"].to_numpy()
    east = east * np.cos(np.radians(homes["latitude"].to_numpy()))[:, None]
    km = np.hypot(north, east) * _KM_PER_DEGREE
    nearest = km.argmin(axis=1)
    return nearest, km[np.arange(len(homes)), nearest]


def _workers(
    rng: np.random.Generator,
    villages: pd.DataFrame,
    facilities: pd.DataFrame,
    households: pd.DataFrame,
    assumed: Assumptions,
) -> pd.DataFrame:
    homes = np.bincount(households["village"], minlength=len(villages))
    people = homes * assumed.number("household.mean_size")
    needed = np.maximum(1, np.rint(people / assumed.number("programme.people_per_worker")))
    village = np.repeat(np.arange(len(villages)), needed.astype(int))
    frame = pd.DataFrame({"village": village})
    frame["latitude"] = villages["latitude"].to_numpy()[village]
    frame["longitude"] = villages["longitude"].to_numpy()[village]
    frame["facility"], _ = _nearest(frame, facilities)
    frame["name"] = rng.integers(0, 10_000, len(frame))
    return frame


def _share_out(households: pd.DataFrame, workers: pd.DataFrame) -> np.ndarray:
    """Each household's worker: those of its village in turn."""
    first = np.searchsorted(workers["village"], households["village"])
    n_there = np.bincount(workers["village"], minlength=households["village"].max() + 1)
    turn = households.groupby("village").cumcount().to_numpy()
    worker: np.ndarray = first + turn % n_there[households["village"]]
    return worker
