"""What a page says of measurements agrees with what the advice was made from."""

from __future__ import annotations

import pandas as pd
import pytest

from chw_tools.records import TABLES, conform, load_catalogue
from chw_tools.workflows.wording import measurements


@pytest.mark.parametrize("answers", [("yes", "no"), ("no", "yes")])
@pytest.mark.parametrize(("second_on", "said"), [("2024-05-01", "yes"), ("2024-05-02", None)])
def test_of_two_answers_about_a_danger_sign_on_one_day_the_page_says_yes(answers, second_on, said):
    code = load_catalogue()["danger_convulsions"].code
    rows = [
        {
            "id": f"01890000-0000-7000-8000-a0000000000{at}",
            "person_id": "01890000-0000-7000-8000-f00000000000",
            "system": code.system,
            "code": code.code,
            "value_code": answer,
            "observed_on": pd.Timestamp(day),
            "source": "t",
            "known_on": pd.Timestamp(day),
        }
        for at, (answer, day) in enumerate(zip(answers, ("2024-05-01", second_on), strict=True))
    ]
    shown = measurements(conform(TABLES["observations"], pd.DataFrame(rows)))
    assert [one.value for one in shown] == [said or answers[1]]
