import math
import pickle

import pandas as pd

from ator_lib.workspace.shown import shown_frame


def names(records) -> str:
    return f"<p>{[record['name'] for record in records]}</p>"


def test_it_shows_itself_and_is_a_dataframe():
    """A notebook shows what was made for it; what is missing is null, as in the records."""
    frame = shown_frame([{"name": "a", "p95_ms": 1.5}, {"name": None, "p95_ms": math.nan}], names)
    assert isinstance(frame, pd.DataFrame)
    assert frame._repr_html_() == "<p>['a', None]</p>"
    assert frame["p95_ms"].iloc[0] == 1.5


def test_what_is_made_of_it_is_a_plain_frame():
    """A selection shows itself as pandas shows it: nobody sees rows that are not there."""
    frame = shown_frame([{"name": "a"}, {"name": "b"}], names)
    for made in (frame.head(1), frame[frame["name"] == "a"], frame.copy(), pd.concat([frame, frame])):
        assert type(made) is pd.DataFrame


def test_a_change_is_shown():
    """It is drawn from what is in it now, and as pandas does where a column is gone."""
    frame = shown_frame([{"name": "a", "p95_ms": 1.0}], names)
    frame.loc[0, "name"] = "changed"
    assert frame._repr_html_() == "<p>['changed']</p>"
    del frame["p95_ms"]
    assert "dataframe" in frame._repr_html_()


def test_no_rows_are_an_empty_frame():
    """An empty one says its columns, if it has any."""
    assert "dataframe" in shown_frame([], names)._repr_html_()


def test_it_can_be_handed_to_another_process():
    """Pickled and back, it still shows itself."""
    frame = shown_frame([{"name": "a"}], names)
    assert pickle.loads(pickle.dumps(frame))._repr_html_() == "<p>['a']</p>"
