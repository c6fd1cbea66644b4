"""Areas, facilities, workers and households as the register holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.testing.words import FAMILY, GIVEN, LANGUAGES

if TYPE_CHECKING:
    from chw_tools.testing.names import Names


def render_areas(names: Names, n_people: int) -> pd.DataFrame:
    drawn, villages = names.drawn, names.drawn.places.villages
    lived_in = drawn.places.households["village"].to_numpy()[drawn.folk["household"]]
    there = np.bincount(
        lived_in[names.registered & (drawn.folk["mother"].to_numpy() < 0)], minlength=len(villages)
    )
    rows = villages.assign(
        latitude=villages["latitude"].round(5),
        longitude=villages["longitude"].round(5),
        id=names.village,
        parent_id=names.subdistrict,
        level="village",
        population=there,
    )
    latitude, longitude = drawn.places.centre
    above = [
        {
            "id": names.subdistrict,
            "parent_id": "D-01",
            "name": f"Sub-district {drawn.part}",
            "level": "subdistrict",
            "population": there.sum(),
            "latitude": latitude,
            "longitude": longitude,
        }
    ]
    if drawn.part == 0:
        above.insert(
            0,
            {
                "id": "D-01",
                "name": "Simulated district",
                "level": "district",
                "population": n_people,
                "latitude": latitude,
                "longitude": longitude,
            },
        )
    frame = pd.concat([pd.DataFrame(above), rows.astype({"is_rural": object})], ignore_index=True)
    return frame.assign(known_on=names.beginning)


def render_facilities(names: Names) -> pd.DataFrame:
    frame = names.drawn.places.facilities
    village = names.village.take(frame["village"], allow_fill=True)
    area = np.where(frame["village"] >= 0, village.astype(object), names.subdistrict)
    return frame.assign(
        id=names.facility,
        area_id=area,
        latitude=frame["latitude"].round(5),
        longitude=frame["longitude"].round(5),
        known_on=names.beginning,
    )


def render_workers(names: Names) -> pd.DataFrame:
    frame = names.drawn.places.workers
    given = np.array(GIVEN[0] + GIVEN[1], dtype=object)[frame["name"] % 40]
    family = np.array(FAMILY, dtype=object)[frame["name"] // 40 % 20]
    return frame.assign(
        latitude=frame["latitude"].round(5),
        longitude=frame["longitude"].round(5),
        id=names.worker,
        name=given + " " + family,
        area_id=names.village.take(frame["village"]),
        facility_id=names.facility.take(frame["facility"]),
        language=LANGUAGES[frame["village"] % 2],
        started_on=names.beginning,
        known_on=names.beginning,
    )


def render_households(names: Names) -> pd.DataFrame:
    frame = names.drawn.places.households
    return frame.assign(
        id=names.household,
        area_id=names.village.take(frame["village"]),
        worker_id=names.worker.take(frame["worker"]),
        wealth_fifth=frame["wealth"],
        facility_km=frame["facility_km"].round(2),
        latitude=frame["latitude"].round(5),
        longitude=frame["longitude"].round(5),
        has_safe_water=frame["safe_water"],
        has_clean_fuel=frame["clean_fuel"],
        known_on=names.beginning,
    )
