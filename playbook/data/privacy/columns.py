"""Which columns are personal, of the files and of the tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import ibis
import pandas as pd

from ...missing import answers
from ..schema import TABLES, Column

CLASSES = ("direct", "quasi", "sensitive", "none")
"""Says who it is; says it together with others; must not be known without need; says nothing of a person."""

_WORDS = {
    "direct": (
        r"name|recipient|consignee|phone|mobile|\btel|telephone|e-?mail|address|street|\bip\b|passport|wechat|\bqq\b|"
        r"openid|unionid|account|login|nickname|customer|buyer|member|user|client|visitor|cookie|device id|imei|idfa|"
        r"note|remark|memo|comment|message|"
        r"姓名|收货人|收件人|联系人|手机|电话|联系方式|邮箱|邮件|地址|身份证|微信|昵称|会员名|买家|用户|客户|账号|帐号|支付宝|"
        r"设备号|备注|留言|旺旺"
    ),
    "sensitive": (
        r"bank|card no|card number|health|skin|religion|biometric|location|latitude|longitude|"
        r"银行|卡号|健康|肤质|宗教|定位|经度|纬度"
    ),
    "quasi": (
        r"gender|\bsex\b|birth|\bage\b|zip|post ?code|postal|city|province|state|region|country|district|occupation|"
        r"education|income|marital|性别|生日|出生|年龄|邮编|城市|省|区县|地区|国家|职业|学历|收入|婚"
    ),
}
_NOT = (
    r"product|item|goods|sku|store|shop|campaign|plan|adgroup|ad group|coupon|file|"
    r"商品|宝贝|店铺|计划|单元|创意|优惠|运费|类目|品牌"
)
"""What names a thing, not a person: a product's name, a campaign's."""

_QUASI = {
    "gender", "birth_year", "age", "city", "city_tier", "region", "income", "occupation", "education", "country",
}  # fmt: skip
_DIRECT = {"customer_id", "person_id", "visitor_id"}
_OF_PEOPLE = {"customers", "orders", "events"}
"""Tables whose traits are a person's; elsewhere a region is a report's."""


def class_of(header: str) -> str:
    """The class of a column that nothing maps, told by its header; one of `CLASSES`.

    Examples
    --------
    >>> class_of("收货人姓名"), class_of("Shipping Zip"), class_of("商品名称"), class_of("Total")
    ('direct', 'quasi', 'none', 'none')
    """
    text = re.sub(r"[_\s]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)).strip().casefold()
    if re.search(_NOT, text):
        return "none"
    return next((kind for kind, words in _WORDS.items() if re.search(words, text)), "none")


def canonical_class(table: str, column: Column) -> str:
    """The class of a column of a canonical table."""
    if column.type == "hash" or column.name in _DIRECT:
        return "direct"
    if table == "reviews" and column.name == "text":
        return "sensitive"
    return "quasi" if table in _OF_PEOPLE and column.name in _QUASI else "none"


@answers("Which columns are personal, and what becomes of them?")
def columns(accounting: Mapping[str, Any], tables: Mapping[str, ibis.Table]) -> pd.DataFrame:
    """Which columns are personal, and what becomes of them?

    Parameters
    ----------
    accounting : mapping
        `Shop.accounting`.
    tables : mapping of str to Table
        `Shop.tables`.

    Returns
    -------
    DataFrame
        One row per personal column of a file, then of a table: place (file or table), column, class (direct,
        quasi, sensitive), kept (hash: as a keyed hash; as it is; not carried: stays in the file).
    """
    rows = []
    for f in accounting["files"]:
        for name, kept in f.get("personal", {}).items():
            rows.append({"place": f["file"], "column": name, "class": _told(name), "kept": kept})
        for name in f.get("unmapped", ()):
            if (kind := class_of(name)) != "none":
                rows.append({"place": f["file"], "column": name, "class": kind, "kept": "not carried"})
    for table, there in tables.items():
        for c in TABLES[table].columns:
            if c.name in there.columns and (kind := canonical_class(table, c)) != "none":
                kept = "hash" if c.type == "hash" or c.name == "person_id" else "as it is"
                rows.append({"place": table, "column": c.name, "class": kind, "kept": kept})
    return pd.DataFrame(rows, columns=["place", "column", "class", "kept"])


def _told(name: str) -> str:
    """The class of a field that its format calls personal."""
    kind = class_of(name)
    return "direct" if kind == "none" else kind
