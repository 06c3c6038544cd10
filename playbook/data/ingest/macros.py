"""SQL that source formats may use beside the engine's own functions."""

from __future__ import annotations

import duckdb

from ..keyed import hashed

PROVINCES = (
    *("北京", "天津", "上海", "重庆", "河北", "山西", "辽宁", "吉林", "黑龙江", "江苏", "浙江", "安徽", "福建", "江西"),
    *("山东", "河南", "湖北", "湖南", "广东", "海南", "四川", "贵州", "云南", "陕西", "甘肃", "青海", "台湾", "内蒙古"),
    *("广西", "西藏", "宁夏", "新疆", "香港", "澳门"),
)

_PROVINCE = f"({'|'.join(PROVINCES)})"
_SUFFIX = "(?:省|市|特别行政区|壮族自治区|回族自治区|维吾尔自治区|自治区)?"
_CITY = "([^省市区县 ]{1,7}?市|[^省市区县 ]{1,11}?(?:自治州|地区|盟)|[^省市区县 ]{1,7}?县)"

MACROS = {
    # what stands for a customer of whom only the e-mail address is known; NULL where it is none
    "told_by_email(mail)": f"'e-' || left({hashed('mail', 'email')}, 16)",
    # a day's share of what covers several, to the cent; the shares add up to the whole
    "spread(x, part, parts)": "round(x * part / parts, 2) - round(x * (part - 1) / parts, 2)",
    # the same for counts
    "spread_count(x, part, parts)": "(floor(x * part / parts) - floor(x * (part - 1) / parts))::BIGINT",
    # the part of a whole that falls on a line; `upto` is the sum of the lines down to it, `total` that of all
    "apportion(whole, line, upto, total)": "CASE WHEN total = 0 THEN 0 ELSE "
    "round(whole * upto / total, 2) - round(whole * (upto - line) / total, 2) END",
    # the province of a Chinese address or name, without its suffix
    "province(address)": f"nullif(regexp_extract(trim(address), '^(?:中国)?\\s*{_PROVINCE}', 1), '')",
    # the city of a Chinese address, without 市; a city without a province is both
    "city_of(address)": "coalesce(nullif(regexp_replace(regexp_extract(trim(address), "
    f"'^(?:中国)?\\s*{_PROVINCE}{_SUFFIX}\\s*{_CITY}', 2), '市$', ''), ''), "
    "CASE WHEN province(address) IN ('北京', '天津', '上海', '重庆') THEN province(address) END)",
}


def define(con: duckdb.DuckDBPyConnection) -> None:
    """Make the macros known to a connection."""
    for signature, sql in MACROS.items():
        con.execute(f"CREATE OR REPLACE TEMP MACRO {signature} AS ({sql})")
