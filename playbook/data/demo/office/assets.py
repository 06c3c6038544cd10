"""The library of assets as the team keeps it: ``plan/assets.csv``, with what it learnt from the festivals so far."""

from __future__ import annotations

import csv
import hashlib
import io

import numpy as np

from ..world import World

BEFORE = 28  # days before a festival's promotion that it is held against
BRIEF = "assets/brief_618.md"
NAMES = {
    "festival_38": "女神节", "festival_520": "520", "festival_618": "618", "festival_99": "99聚划算",
    "festival_1111": "双11", "festival_1212": "双12",
}  # fmt: skip
COLUMNS = ("kind", "name", "tags", "result", "lesson", "file", "hash")
LESSONS = (
    "素材提前十天送审，大促前一天才过审的赶不上预热",
    "客服排班按最忙的一小时算，不按全天平均",
    "赠品与主品分开备货，赠品先断货会拖住整单发货",
    "短信在开卖当晚八点前发完，之后通道排队",
    "价保规则写进详情页首屏，售后咨询明显变少",
    "落地页改版至少提前一周冻结，开卖后只修错不改版",
    "关键词出价在开卖前两小时逐个核对，避免两个计划抢同一个词",
    "预热期只种草不发券，券在开卖当天一次发完",
)
OTHERS = (  # kind, name, tags, lesson
    ("creative", "青苔精华·晨间三步短片", "618, 精华, 短视频", "前三秒先给质地特写，再讲步骤"),
    ("creative", "礼盒开箱图文", "双11, 双12, 小红书, 礼盒", "首图带手写卡片，收藏比纯白底多"),
    ("creative", "香薰蜡烛·睡前十分钟直播脚本", "双11, 香薰蜡烛, 直播", "先点燃再讲香调，讲价放在最后"),
    ("data", "加购未付人群包", "双11, 618, 会员", "只用同意营销的会员，导出前再核对一次"),
    ("data", "近三年大促日小时订单表", "双11, 618, 排班", "用来排客服与仓库的班"),
    ("relationship", "护肤达人合作名单", "双11, 618, 达人, 小红书", "先寄样再谈排期，档期提前六周锁定"),
    ("relationship", "包材供应商应急联系人", "双11, 备货", "大促前两周确认一次电话能打通"),
)
TEXT = """# 618 活动简报模板

目标、人群、主推品、价格与满减、排期、分工、埋点、复盘时间：每项一行，写清负责人。
"""


def assets(world: World, units: np.ndarray) -> dict[str, str]:
    """Files below ``plan/`` by their names: the library, and a brief that one of its rows points to.

    Parameters
    ----------
    units : ndarray, products × days
        Units that left stock (`supply.supply_counts`): a festival's result is what it sold beside the weeks before.
    """
    rng = world.draws.generator("assets")
    daily, table = units.sum(axis=0), world.promotions.table
    past = table[(table["festival"] != "") & (table["ends"] < world.calendar.n) & (table["begins"] >= BEFORE)]
    lessons = [LESSONS[i] for i in rng.permutation(len(LESSONS))]
    rows = []
    for p, lesson in zip(past.sort_values("begins", ascending=False).to_dict("records"), lessons, strict=False):
        begins, ends = int(p["begins"]), int(p["ends"]) + 1
        usual = daily[begins - BEFORE : begins].mean()
        name, year = NAMES[p["festival"]], world.calendar.days[begins].year
        result = f"日均件数为前四周的{daily[begins:ends].mean() / max(usual, 1):.1f}倍"
        rows.append(("lesson", f"{year}年{name}复盘", name, result, lesson, "", ""))
    rows += [(kind, name, tags, "", lesson, "", "") for kind, name, tags, lesson in OTHERS]
    digest = hashlib.sha256(TEXT.encode()).hexdigest()[:12]
    rows.append(("data", "618活动简报模板", "618, 简报", "", "每次活动照着填，缺一项不开工", BRIEF, digest))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows])
    return {"assets.csv": "\ufeff" + text.getvalue(), BRIEF: TEXT}
