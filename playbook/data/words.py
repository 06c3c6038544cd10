"""Chinese headers that the team's own files may bear instead of the canonical names of columns."""

from __future__ import annotations

EXAMPLE = "#"
"""What the first cell of an example begins with: a row that ingest passes over."""

_LINES = """
order_id 订单号 订单编号
customer_id 客户编号 买家编号
product_id 商品编号 商品ID
platform 平台
channel 渠道
campaign_id 活动编号 计划编号
day 日期
period 周期 期间
metric 指标
target 目标 目标值
recorded_at 记录时间 登记时间
owner 负责人 负责岗位
name 名称
name_en 英文名称
title 标题 事项
kind 类型
starts_on 开始日期
ends_on 结束日期
due_on 截止日期 到期日
done_on 完成日期
starts_at 开始时间
ends_at 结束时间
budget 预算
objective 目的
promotion_id 促销编号
rule 规则
category 类目 品类
category_en 英文类目
funded_by 承担方
coupon_id 优惠券编号
issued_at 发放时间
face_value 面额
threshold 门槛
expires_at 失效时间
claimed_at 领取时间
used_at 使用时间
content_id 内容编号
publish_at 发布时间
form 形式
theme 主题
stage 阶段
text 正文 内容
keyword 关键词
volume 搜索量
difficulty 难度
rank 排名
bid 出价
page 页面
task_id 任务编号
measure 衡量标准
resources 资源
after 前置任务
status 状态
purchase_order_id 采购单号
quantity 数量
supplier_id 供应商编号
unit_cost 单位成本 成本
received_on 到货日期
received 到货数量
defective 次品数量
risk_id 风险编号
probability 概率
impact 影响
mitigation 应对措施
trigger 触发条件
response_id 答卷编号
answered_at 填写时间
survey 问卷
question 问题
answer 回答
score 评分 得分
segment 人群
weight 权重
lead_days 交货天数
minimum_order 起订金额
sole_source 独家供应
on_hand 库存 在库数量
warehouse 仓库
reserved 已占用
inbound 在途
ticket_id 工单号
opened_at 开始时间 创建时间
topic 主题
first_reply_at 首次回复时间
solved_at 解决时间
rating 星级 评价分
by_bot 机器人接待
competitor 竞品 竞争对手
item 竞品商品
price 价格
list_price 划线价 吊牌价
sales_units 销量
comments 评论数
size 市场规模
seller 商家
source 来源
subject 对象
criterion 评价项
evidence 依据
assessor 评估人
brand 品牌
role 角色
launched_on 上市日期
retired_on 下架日期
usage_days 使用天数
changed_at 变更时间
review_id 评价编号
reviewed_at 评价时间
mention_id 提及编号
mentioned_at 提及时间
sentiment 情感
reach 覆盖人数
experiment 实验
unit_id 实验对象
arm 分组
assigned_at 分组时间
exposed_arm 实际分组
value 数值
converted 是否转化
audience 人群包
trait 特征
share 占比
shipment_id 运单号
shipped_at 发货时间
carrier 快递公司
region 省份 地区
promised_at 承诺送达时间
delivered_at 送达时间
cost 成本费用
message_id 消息编号
sent_at 发送时间
entry_id 流水号
booked_at 记账时间
points 积分
ordered_at 下单时间
paid_at 付款时间
amount 金额
phone_hash 手机号
email_hash 邮箱
"""

CHINESE: dict[str, tuple[str, ...]] = {
    name: tuple(words) for name, *words in (line.split() for line in _LINES.strip().splitlines())
}
"""Canonical column → its Chinese headers."""
