"""What people write: phrases by category, topic and sentiment, from which reviews and mentions are put together.

Lists of phrases are texts with spaces between the phrases.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

TOPICS = ("effect", "texture", "scent", "packaging", "logistics", "price", "service")
SERUM, CREAM, CLEANSER, MASK, CANDLE, DIFFUSER = "精华", "面霜", "洁面", "面膜", "香薰蜡烛", "无火香薰"

# Weight of each topic in a review of a category, in the order of TOPICS.
TOPIC_WEIGHTS = {
    SERUM: (34, 22, 8, 10, 11, 9, 6),
    CREAM: (30, 25, 8, 10, 11, 10, 6),
    CLEANSER: (28, 26, 8, 8, 12, 12, 6),
    MASK: (30, 22, 7, 8, 12, 15, 6),
    CANDLE: (14, 6, 40, 18, 9, 8, 5),
    DIFFUSER: (18, 4, 38, 17, 10, 8, 5),
}

# Category ("": any), topic, sentiment: what is said.
PHRASES: dict[tuple[str, str, str], str] = {
    (SERUM, "effect", "+"): (
        "用了两周皮肤透亮了不少 第二天起来脸不暗沉了 毛孔看着细了一点 保湿能撑一整天 换季没再起皮 泛黄改善挺明显 "
        "痘印淡了一些 上妆不卡粉了"
    ),
    (SERUM, "effect", "-"): (
        "用了一个月没看出变化 保湿撑不到下午 感觉和普通精华没区别 用完还闷了几颗痘 提亮效果基本没有 "
        "空瓶了也没看到宣传的效果"
    ),
    (SERUM, "texture", "+"): "质地清爽好吸收 一点都不黏 推开很顺，几秒就吸收 后续叠面霜不搓泥 水润不油 滴管取量刚好",
    (SERUM, "texture", "-"): "有点黏，后面容易搓泥 吸收很慢，浮在脸上 质地偏稀，感觉没什么料 油皮用着闷 上脸拔干",
    (CREAM, "effect", "+"): (
        "干皮救星，早上起来脸还是润的 换季不紧绷了 法令纹看着浅了点 修护力不错，泛干的地方好了 皮肤软软的 "
        "整个冬天没起皮 妈妈说皮肤比以前亮了"
    ),
    (CREAM, "effect", "-"): "滋润度不够，半夜脸就干了 用了长闭口 抗皱没感觉 一罐快用完了没变化 保湿不如以前用的那款",
    (CREAM, "texture", "+"): "膏体细腻，化开就是水 厚而不油 一点点就能抹全脸 冰淇淋一样的质地 吸收快，不糊脸",
    (CREAM, "texture", "-"): (
        "太厚重，夏天没法用 油腻腻的，枕头都蹭上了 推不开，容易搓泥 膏体比上一罐硬 有小颗粒，不细腻"
    ),
    (CLEANSER, "effect", "+"): (
        "洗完不紧绷 清洁力刚好，防晒也能洗掉 黑头少了一些 敏感肌用着没刺激 T区没那么出油了 早晚用都不干"
    ),
    (CLEANSER, "effect", "-"): "洗完脸紧绷 洗不干净，还要二次清洁 用完脸颊起皮 假滑，总觉得没冲干净 控油撑不过两小时",
    (CLEANSER, "texture", "+"): "泡沫绵密 揉两下就起泡 氨基酸的，温和 啫喱质地很舒服 好冲洗 按压一泵就够",
    (CLEANSER, "texture", "-"): "基本不起泡 太稀了，一挤一大坨 泡沫粗，不绵密 用到后面挤不出来 膏体分层了",
    (MASK, "effect", "+"): (
        "敷完脸水嫩嫩的 熬夜第二天急救很管用 晒后敷很镇静 第二天上妆特别服帖 补水效果看得见 敷完没有假白"
    ),
    (MASK, "effect", "-"): "敷完半小时就干了 没什么补水效果 敷完脸有点发烫 和几块钱一片的差不多 敷完闷痘",
    (MASK, "texture", "+"): "膜布很服帖 精华液多，还能涂脖子 膜布薄，透气 剪裁合脸 敷完不黏",
    (MASK, "texture", "-"): "膜布太厚，老往下掉 精华液少，敷十分钟就干 眼睛那里剪得太小 敷完黏黏的要洗脸 膜布有线头",
    (CANDLE, "effect", "+"): "点半小时满屋都是香味 燃烧均匀没有坑 没有黑烟 一晚上点三小时能用好久 睡前点很放松",
    (CANDLE, "effect", "-"): (
        "点了一小时也没味道 烧出一个坑，边上的蜡都浪费了 冒黑烟，杯壁都熏黑了 烛芯老是灭 不到二十小时就烧完了"
    ),
    (CANDLE, "texture", "+"): "蜡面很平整 蜡质细腻 烛芯是木的，有噼啪声",
    (CANDLE, "texture", "-"): "蜡面有裂纹 蜡和杯子分开了 蜡面坑坑洼洼",
    (CANDLE, "scent", "+"): (
        "味道高级，不是廉价香精味 像走进森林一样 前调清新，后面很温柔 淡淡的，不冲鼻 和照片一样的氛围感 "
        "朋友来家里都问是什么味道 冬天点着特别暖"
    ),
    (CANDLE, "scent", "-"): "味道太冲，点了头疼 一股香精味 和描述的味道不一样 冷香几乎闻不到 闻着像洗洁精 前调刺鼻",
    (DIFFUSER, "effect", "+"): "放玄关一进门就香 两个月了还有一半 卫生间放一瓶刚好 扩香很稳定 十几平的房间够用",
    (DIFFUSER, "effect", "-"): (
        "扩香太弱，凑近才闻得到 不到一个月就挥发完了 藤条三天就不吸了 客厅大一点就没味 越到后面越淡"
    ),
    (DIFFUSER, "texture", "+"): "藤条粗细合适 液体很清澈",
    (DIFFUSER, "texture", "-"): "液体有点浑浊 藤条偏短",
    (DIFFUSER, "scent", "+"): (
        "味道耐闻，不腻 像酒店大堂的味道 清清淡淡很舒服 桌上放着心情都好了 和香薰店里的一样 木质调很高级 花香很真实"
    ),
    (DIFFUSER, "scent", "-"): (
        "味道太浓，放卧室睡不着 酒精味重 闻着有点像厕所清新剂 和图片描述的香调不符 香味很假 闻久了头晕"
    ),
    ("", "scent", "+"): "味道淡淡的很好闻 没有奇怪的香精味 植物的清香 味道很舒服 几乎没味道，敏感肌放心",
    ("", "scent", "-"): "味道有点怪 香精味太重 有股药味 味道和之前买的不一样 气味冲鼻",
    ("", "packaging", "+"): (
        "包装精美，送人有面子 盒子很有质感 包得很严实，没有磕碰 瓶子好看，摆着也舍不得扔 有封膜，放心 "
        "附了小样和卡片，用心 环保纸盒很喜欢"
    ),
    ("", "packaging", "-"): "包装太简陋 盒子压扁了 泵头不好按 盖子拧不紧 没有封膜 瓶口漏了一点 外盒有划痕",
    ("", "logistics", "+"): "发货很快 第二天就到了 快递小哥送上门 下单隔天收到 物流给力 比预计早到一天 大促也没等多久",
    ("", "logistics", "-"): (
        "物流太慢了 快递等了一个星期 说好三天到，晚了好几天 物流信息好几天不动 快递扔在驿站没通知 等得都忘了买过 "
        "发货拖了好久 一直停在转运中心"
    ),
    ("", "price", "+"): "活动价很划算 性价比高 比专柜类似的便宜一半 满减下来超值 这个价位很良心 囤了三份",
    ("", "price", "-"): (
        "刚买完就降价了 价格偏贵 容量这么小不值这个价 比上次活动贵了 别家类似的便宜不少 申请保价不给退"
    ),
    ("", "service", "+"): "客服耐心，问什么都答 客服推荐得很准 售后处理很快 客服态度好 漏发了马上补寄 退换很爽快",
    ("", "service", "-"): "客服半天不回 客服只会发模板 售后推来推去 退款拖了一周 问成分答不上来 机器人答非所问",
    (
        MASK,
        "packaging",
        "+",
    ): "包装精美，送人有面子 盒子很有质感 独立包装，出差好带 包得很严实 环保纸盒很喜欢 有封膜，放心",
    (MASK, "packaging", "-"): "包装太简陋 盒子压扁了 袋子难撕 没有封膜 外盒有划痕 少了一片",
    (
        CANDLE,
        "packaging",
        "+",
    ): "包装精美，送人有面子 杯子烧完能插花 包得很严实，没有磕碰 盒子很有质感 摆着就好看 送了火柴，用心",
    (CANDLE, "packaging", "-"): "包装太简陋 盒子压扁了 杯壁有气泡 标签贴歪了 外盒有划痕 没有配盖子",
    ("", "damaged", "-"): (
        "收到瓶子碎了 盖子裂了，漏了一箱 到手就漏液，盒子都湿了 泵头断了 瓶口裂了 里面的填充根本不够，压坏了"
    ),
    (MASK, "damaged", "-"): "好几片漏液了 盒子压烂，袋子破了 收到有三片是干的，漏光了 里面的填充根本不够，压坏了",
    (CANDLE, "damaged", "-"): "杯子碎成几块 杯口磕掉一块 收到蜡都裂开了 玻璃碎了，差点划手 里面的填充根本不够，压坏了",
    (
        DIFFUSER,
        "damaged",
        "-",
    ): "收到瓶子碎了 漏了大半瓶，盒子全湿 瓶口裂了，满箱都是香味 到手就漏液 里面的填充根本不够，压坏了",
    ("", "reaction", "-"): (
        "用了两次脸泛红刺痛 第二天脸颊又红又痒 上脸就刺痛，洗掉还红 过敏了，去医院开了药 起了一片小红疹 "
        "泛红三天没退 以前一直用没事，这批用了刺痛 眼周红肿，不敢再用 烧脸一样疼 和闺蜜一起买的，两个人都过敏 "
        "怀疑这一批有问题，泛红脱皮 火辣辣的，敷冰才好一点"
    ),
}

OPENERS = {
    "+": (
        "很喜欢 回购了 不错 第二次买了 超出预期 用了一段时间来评价 朋友推荐的 种草很久了 真的好用 给妈妈买的 "
        "一直用这家 刚收到 闭眼入"
    ),
    "0": "一般般 还行吧 中规中矩 没有想象中好 说不上好坏 先用用看 凑合",
    "-": "失望 不推荐 踩雷了 不会再买 差评 避雷 一言难尽 期待越大失望越大 后悔买了",
}
CLOSERS = {
    "+": "推荐 会回购 值得买 继续支持 五星好评 期待新品 已经推荐给同事",
    "0": "看后续吧 用完不一定回购 给三星吧",
    "-": "希望改进 已申请退款 别买 不值 等商家给个说法",
}
OPENS, CLOSES = 0.8, 0.45  # of the reviews begin and end with one of these
# Between what is good and what is bad, and the other way round.
BUT = {"-": "就是 不过 唯一不足是 小缺点是 但是", "+": "不过 好在 但 还好"}
SHORT = {
    "+": (
        "好 很好用 不错不错 好评 喜欢 东西很好，满意 好用好用 满意的一次购物 此用户没有填写评价 可以 质量很好 "
        "回购无数次 很满意 挺好的 还不错哦"
    ),
    "0": "一般 还行 凑合用 就那样 普通",
    "-": "不好用 差 不行 不喜欢 太差了 失望",
}
# What is written for money sounds like this.
PAID_PRAISE = (
    "宝贝收到了，质量非常好，与卖家描述的完全一致，非常满意 质量很好，物流很快，服务态度也好，全五分 "
    "非常好的卖家，包装仔细，发货速度快，值得信赖 和描述的一模一样，非常满意，下次还会光顾 "
    "质量非常好，出乎意料，真的超值，五分好评 宝贝很好，卖家服务态度很好，祝生意兴隆"
)

# Mentions on other media; {b} is the brand, {p} the product.
MENTIONS = {
    "+": (
        "{b}的{p}真的可以无限回购 最近在用{b}{p}，换季稳稳的 空瓶记：{b}{p}，皮肤状态肉眼可见变好 "
        "被{b}{p}的味道治愈到了 平价国货里{b}{p}我愿称第一 {b}的包装设计太好看了，{p}摆着就开心 "
        "闺蜜安利的{b}{p}，果然没踩雷 送礼选{b}{p}不会错"
    ),
    "0": (
        "有人用过{b}的{p}吗，求反馈 {b}{p}和别家的怎么选 {b}直播间{p}今天什么价 记录一下今天到的快递：{b}{p} "
        "{b}{p}成分分析 整理了一份香薰和护肤清单，{b}{p}在列 想入{b}{p}，等活动 {b}出新了？{p}换包装了"
    ),
    "-": (
        "{b}{p}感觉被种草骗了，没什么效果 {b}快递也太慢了，{p}等了一周 {b}{p}涨价了，不想买了 "
        "{b}客服不行，{p}退货拖了好久 {b}{p}对我来说太黏了 {b}{p}味道劝退 {b}大促先涨后降，{p}平时更便宜 "
        "{b}{p}收到是坏的，心累"
    ),
    "crisis": (
        "{b}{p}用完脸刺痛泛红，有一样的姐妹吗 避雷{b}{p}，过敏去医院了 {b}{p}这批是不是有问题，一堆人说泛红 "
        "投诉{b}，{p}烂脸没人管 {b}{p}过敏维权群有吗 等{b}一个说法，{p}刺痛不是个例 "
        "理性讨论：{b}{p}为什么突然这么多人过敏 {b}{p}批次查询方法，用的先停一停 {b}的回应我不接受，{p}全退 "
        "用了三年{b}，这次{p}真的让人失望，脸红了一周"
    ),
}


class Phrases:
    """Phrases by key, to be drawn for many rows at once."""

    def __init__(self, lists: Mapping[Any, str]) -> None:
        self.at = {key: i for i, key in enumerate(lists)}
        words = [text.split() for text in lists.values()]
        self.size = np.array([len(w) for w in words])
        self.first = np.cumsum(self.size) - self.size
        self.words = np.array([w for phrases in words for w in phrases], dtype=object)

    def of(self, position: np.ndarray, u: np.ndarray) -> np.ndarray:
        """The phrase that each uniform draw `u` picks from the list at each `position` (see `at`)."""
        position = position.astype(np.int64)  # none at all have no type
        return self.words[self.first[position] + (u * self.size[position]).astype(np.int64)]
