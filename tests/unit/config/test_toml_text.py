import tomllib

from hypothesis import given
from hypothesis import strategies as st

from zbus.config import write_toml

keys = st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable())
plain = st.text(max_size=12).filter(lambda text: not any(0xD800 <= ord(c) < 0xE000 for c in text))
values = st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), plain, st.lists(plain, max_size=3))
tables = st.dictionaries(keys, values, max_size=4)


@given(st.dictionaries(keys, values, max_size=3), st.dictionaries(keys, tables, max_size=3))
def test_what_is_written_is_read_again(top, inner):
    both = {**inner, **top}
    assert tomllib.loads(write_toml(both)) == both


def test_what_is_none_is_left_out():
    assert tomllib.loads(write_toml({"a": {"b": None, "c": 1}})) == {"a": {"c": 1}}
