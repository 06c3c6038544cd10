"""Who does what by when: tasks for each festival; the risk register; scores that people gave."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..world import World
from ..world.catalogue import COMPETITORS
from . import ahead

# Task, title, owner, first and last day before (−) the festival's last day, tasks before it, measure, resources.
TASKS: list[tuple[str, str, str, int, int, str, str, str]] = [
    ("goal", "目标与预算拆解", "电商总监", -62, -55, "", "目标表与预算表签批", "财务1人 数据1人"),
    ("assort", "选品与定价方案", "商品经理", -54, -48, "goal", "主推清单与价格表确认", "商品2人"),
    ("brief", "主题与创意简报", "品牌经理", -47, -42, "assort", "简报评审通过", "品牌1人 设计1人"),
    ("visual", "主图、详情页与会场页定稿", "设计主管", -41, -12, "brief", "全部页面素材验收", "设计3人 外包1.5万元"),
    ("review", "平台报名与素材审核", "店铺运营经理", -11, -8, "visual", "各平台审核通过率100%", "运营2人"),
    ("price", "价格设置与最低价校验", "店铺运营经理", -7, -6, "review", "价格抽检零差错", "运营2人 商品1人"),
    ("test", "下单链路与埋点测试", "数据分析师", -5, -4, "price", "测试用例全部通过", "数据1人 技术1人"),
    ("warm", "加购蓄水与预热投放", "投放经理", -3, -1, "test", "加购人数达到目标", "预热预算见投放计划"),
    ("day", "当日值守与实时调价", "电商总监", 0, 0, "warm arrive service ware", "整点战报与异常处理记录", "全员"),
    ("report", "活动复盘", "数据分析师", 1, 7, "day", "复盘报告评审通过", "数据1人"),
    ("order", "备货量测算与下单", "采购经理", -47, -40, "assort", "采购单全部下达", "采购1人"),
    ("arrive", "到仓与质检", "采购经理", -39, -14, "order", "备货到仓率不低于95%", "质检2人"),
    ("ware", "仓库加班与快递约车", "仓储经理", -13, -3, "arrive", "日发货能力达到预测峰值", "临时工按峰值配置"),
    ("kol", "达人签约与寄样", "内容经理", -41, -20, "brief", "签约笔记数达到排期", "达人预算见内容计划"),
    ("legal", "文案合规审核", "法务", -18, -12, "brief", "全部文案过审并留痕", "法务1人"),
    ("service", "客服排班与话术更新", "客服主管", -20, -15, "assort", "首次响应不超过30秒", "客服6人 外包4人"),
    ("crm", "会员分层与短信模板报备", "会员经理", -15, -9, "assort", "模板报备通过", "短信预算见会员计划"),
]  # fmt: skip
KICK_OFF = 66  # days before its last day that a festival's tasks are written down
CRITICAL = ("goal", "assort", "brief", "visual", "review", "price", "test", "warm", "day", "report")
"""The longest way through the tasks: each begins on the day after the one before it ended."""
OVERDUE = "service"
WITHOUT_RESOURCES = "crm"

# Title, kind, probability, impact, mitigation, owner, trigger.
RISKS: list[tuple[str, str, int, int, str, str, str]] = [
    ("广告用语违反广告法被处罚", "law", 3, 4, "发布前合规扫描，法务复核", "法务", "compliance_flags > 0 in 7d"),
    ("会员短信未经同意或无法退订", "law", 2, 4, "按同意名单发送，带退订", "会员经理", "unsubscribe_rate > 0.01 in 30d"),
    ("虚构原价被认定价格欺诈", "law", 2, 5, "价格表留痕，活动前校验", "商品经理", "reference_price_flags > 0 in 30d"),
    ("竞品大幅降价", "competition", 4, 3, "周度监测，备好应对组合", "商品经理", "price_index > 1.15 for 7d"),
    ("新锐品牌分流无火香薰", "competition", 3, 3, "加快新香型上市", "品牌经理", "share_change < -0.01 in 90d"),
    ("大促当天自有商城宕机", "technology", 2, 5, "压测与降级预案", "技术负责人", "events_per_hour < 0.2 of usual"),
    ("支付页改版造成转化下降", "technology", 3, 4, "灰度发布，步骤监控", "数据分析师", "checkout_rate < 0.8 of usual"),
    ("香薰蜡烛独家供应商断供", "supply", 2, 5, "开发第二供应商，加安全库存", "采购经理", "days_of_cover < 20"),
    ("供应商交期持续延误", "supply", 4, 4, "按实际交期下单，罚则写入合同", "采购经理", "late_days > 7 in 60d"),
    ("爆款大促前断货", "supply", 3, 5, "预测与在途每周核对", "采购经理", "days_of_cover < 10"),
    ("产品批次问题引发舆情", "credit", 2, 5, "批次追溯,24小时响应", "客服主管", "negative_share > 0.25 in 3d"),
    ("差评与退款集中上升", "credit", 3, 3, "每日监测评分与退款率", "客服主管", "refund_rate > 0.12 in 14d"),
    ("渠道刷单被平台处罚", "credit", 2, 4, "订单审计，禁止外部刷单", "店铺运营经理", "suspect_orders > 0.02 in 14d"),
]  # fmt: skip

# Scores out of 10, given twice a year. Topic: assessor, subjects, criteria with weight and a score for each subject.
SCORED_IN = (3, 9)
FILTER = "必备：化妆品类目入驻资质"
SCORES: dict[str, tuple[str, tuple[str, ...], dict[str, tuple[float, tuple[float, ...]]]]] = {
    "platforms": (
        "电商总监",
        ("tmall", "jd", "douyin", "own_site", "xiaohongshu", "pinduoduo"),
        {
            FILTER: (0.0, (10, 10, 10, 10, 10, 0)),
            "市场份额": (0.20, (9.0, 6.5, 7.5, 1.5, 3.0, 6.5)),
            "活跃用户": (0.20, (9.0, 7.0, 9.5, 2.0, 7.5, 9.0)),
            "入驻与佣金": (0.15, (5.5, 6.0, 6.5, 9.0, 6.0, 8.0)),
            "广告成本": (0.20, (4.5, 5.5, 5.0, 7.5, 6.0, 7.0)),
            "定位契合": (0.25, (8.0, 6.5, 6.0, 9.0, 8.5, 3.0)),
        },
    ),
    "competitors": (
        "品牌经理",
        ("露苔", *COMPETITORS),
        {
            "功能": (0.25, (7.5, 7.0, 6.5, 6.0)),
            "质量": (0.25, (8.0, 7.5, 6.5, 7.0)),
            "价格": (0.20, (6.5, 6.0, 8.0, 5.5)),
            "服务": (0.15, (7.0, 6.5, 6.0, 7.5)),
            "概念": (0.15, (8.5, 6.5, 5.5, 8.0)),
        },
    ),
    "value_proposition": (
        "品牌经理",
        ("植萃成分透明", "东方草木香气", "护肤与香氛同一品牌", "空瓶回收", "七天试用"),
        {
            "重要性": (0.35, (8.5, 7.5, 5.0, 4.0, 6.5)),
            "相对优势": (0.35, (6.0, 8.5, 8.0, 5.5, 4.5)),
            "可信度": (0.20, (7.5, 8.0, 6.5, 7.0, 8.0)),
            "成本": (0.10, (7.0, 6.0, 7.5, 5.0, 3.5)),
        },
    ),
}
EVIDENCE = {
    "platforms": "平台后台与公开财报",
    "competitors": "盲测、评价词频与比价记录",
    "value_proposition": "用户访谈与问卷",
}
UNDERCUT_SCORE = 2.0  # what the price of the competitor that goes below us gains


def tasks(world: World) -> pd.DataFrame:
    """The table `tasks`: those of each festival, what has come of them, and what was left undone."""
    rng, n = world.draws.generator("tasks"), world.calendar.n
    late, coming, rows = _late(world), ahead.festival(world), []
    for p in world.promotions.table[world.promotions.table["festival"] != ""].to_dict("records"):
        mine = coming is not None and p["promotion_id"] == coming["promotion_id"]
        label = {key: f"T-{p['promotion_id']}-{i + 1:02d}" for i, (key, *_rest) in enumerate(TASKS)}
        for key, title, owner, first, last, after, measure, resources in TASKS:
            begins, due = p["ends"] + first, p["ends"] + last
            # Those who are early and those who need a day or two more.
            ready = due + int(rng.choice([-2, -1, 0, 1, 2], p=[0.1, 0.2, 0.6, 0.06, 0.04]))
            held_up = mine and any(k in late.values() for k in (key, *after.split()))
            done = due < n and not held_up
            waits = held_up and key not in late.values()
            rows.append(
                {
                    "task_id": label[key],
                    "title": f"{p['name']}·{title}",
                    "owner": owner,
                    "starts_on": ahead.date(world, begins),
                    "due_on": ahead.date(world, due),
                    "measure": measure,
                    "resources": None if mine and key == WITHOUT_RESOURCES else resources,
                    "after": " ".join(label[k] for k in after.split()) or None,
                    "campaign_id": f"fest-{p['promotion_id']}",
                    "status": "done" if done else "doing" if begins < n and not waits else "open",
                    "done_on": ahead.date(world, min(max(ready, begins), n - 1)) if done else pd.NaT,
                    "kickoff": ahead.date(world, p["ends"] - KICK_OFF),
                }
            )
    out = pd.DataFrame(rows)
    out = out[out["kickoff"] < world.calendar.end - pd.Timedelta(days=12)].reset_index(drop=True)
    # Some are thought of later.
    written = out["kickoff"] + pd.to_timedelta(rng.choice([0, 0, 0, 3, 6], len(out)), unit="D")
    out["recorded_at"] = ahead.recorded(world, written.where(written < out["starts_on"], out["kickoff"]), rng)
    return out.drop(columns="kickoff").sort_values(["starts_on", "task_id"], ignore_index=True)


def _late(world: World) -> dict[str, str]:
    """Tasks of the coming festival that should have been done: the latest of the critical ones, and one beside them."""
    coming, n = ahead.festival(world), world.calendar.n
    if coming is None:
        return {}
    due = {key: coming["ends"] + last for key, _t, _o, _f, last, *_rest in TASKS}
    passed = [key for key in CRITICAL if due[key] < n]
    out = {"critical": passed[-1]} if passed else {}
    return out | ({"overdue": OVERDUE} if due[OVERDUE] < n else {})


def risks(world: World) -> pd.DataFrame:
    """The table `risks`: most were written down at a kick-off, some after something had happened."""
    rng = world.draws.generator("risks")
    out = pd.DataFrame(RISKS, columns=["title", "kind", "probability", "impact", "mitigation", "owner", "trigger"])
    out.insert(0, "risk_id", [f"R{i + 1:02d}" for i in range(len(out))])
    dates = world.incidents
    after = {
        "竞品大幅降价": dates.undercut,
        "供应商交期持续延误": dates.slow_supplier + 40,
        "产品批次问题引发舆情": dates.crisis,
        "爆款大促前断货": dates.stock_out[1],
    }
    position = out["title"].map(after).fillna(pd.Series(rng.integers(5, 700, len(out)))) + 5
    out["recorded_at"] = ahead.recorded(world, pd.Series([ahead.date(world, int(p)) for p in position]), rng)
    return out.sort_values(["recorded_at", "risk_id"], ignore_index=True)


def assessments(world: World) -> pd.DataFrame:
    """The table `assessments`: rounds of scores, in halves, that move a little from one to the next."""
    rng, cal, rows = world.draws.generator("assessments"), world.calendar, []
    days = [d for d in cal.days if d.month in SCORED_IN and d.day == 16]
    undercut = ahead.date(world, world.incidents.undercut)
    for topic, (assessor, subjects, criteria) in SCORES.items():
        walk = {(s, c): 0.0 for s in subjects for c in criteria}
        for day in days:
            for criterion, (weight, scores) in criteria.items():
                for subject, score in zip(subjects, scores, strict=True):
                    if criterion != FILTER:
                        walk[subject, criterion] += rng.normal(0, 0.25)
                    cheaper = UNDERCUT_SCORE * (criterion == "价格" and subject == COMPETITORS[0] and day >= undercut)
                    value = np.clip(score + walk[subject, criterion] + cheaper, 0, 10)
                    rows.append(
                        (day, subject, criterion, round(value * 2) / 2, weight, EVIDENCE[topic], assessor, topic)
                    )
    columns = ["day", "subject", "criterion", "score", "weight", "evidence", "assessor", "topic"]
    return pd.DataFrame(rows, columns=columns).sort_values(["day", "topic"], kind="stable", ignore_index=True)


def plan_work(world: World) -> dict[str, pd.DataFrame]:
    """The tables `tasks`, `risks` and `assessments`."""
    return {"tasks": tasks(world), "risks": risks(world), "assessments": assessments(world)}


def truths(world: World) -> dict[str, Any]:
    """What is late, and what lacks a mandatory field."""
    coming = ahead.festival(world)
    if coming is None:
        return {"late_tasks": {}, "incomplete_task": None}
    order = [key for key, *_rest in TASKS]
    label = {key: f"T-{coming['promotion_id']}-{i + 1:02d}" for i, key in enumerate(order)}
    return {
        "late_tasks": {what: label[key] for what, key in _late(world).items()},
        "critical_path": [label[key] for key in CRITICAL],
        "incomplete_task": label[WITHOUT_RESOURCES],
    }
