"""Words of the content calendar: titles and texts by channel, the planted offences among them, and search words.

Placeholders: {name} the product, {category} its category, {list} its list price in whole yuan, {high} a price that it
never had, {shown} the price
that is shown, {cheap} far less than that.
"""

from __future__ import annotations

# Channel: form, owner, weekdays on which it publishes, hour, days from one to the next at most as the plan wants it.
CHANNELS = {
    "xiaohongshu": ("post", "内容经理", (1, 3, 5), 19, 3),
    "douyin": ("video", "短视频运营", (2, 6), 12, 4),
    "wechat": ("article", "品牌编辑", (4,), 20, 7),
    "email": ("email", "会员经理", (3,), 10, 14),
}

# Theme, titles, texts, and what they fit: "skin", "scent" or "" for both. None of them claims what may not be claimed.
TEXTS: dict[str, list[tuple[str, str, str, str]]] = {
    "xiaohongshu": [
        ("成分", "拆一支{name}：成分表怎么读", "把成分表从上往下读一遍：前五位是什么，为什么这样配。", "skin"),
        ("使用", "早晚各两分钟，{name}的用法", "洗净后取黄豆大小，掌心化开再按压。早上用量减半，妆前不搓泥。", "skin"),
        ("香气", "一个人的晚上，点上{name}", "下班回家先开窗十分钟，再把香气请进来。木质调收得住一天的吵闹。", "scent"),
        ("空间", "五平米浴室的香气布置", "{name}放在高处，离水汽远一点，一瓶大约用两个月。", "scent"),
        ("问答", "关于{name}，你们问得多的三件事", "开封后多久用完、能不能和酸类同用，一次说清楚。", "skin"),
        ("用户", "28位用户的{name}空瓶记", "征得同意后整理了28位用户的空瓶记录，有喜欢的，也有说味道偏淡的。", ""),
    ],
    "douyin": [
        ("质地", "{name}质地实拍", "镜头推近，看延展，看吸收，不加滤镜。", "skin"),
        ("开箱", "{name}开箱30秒", "从快递盒到梳妆台,30秒看完包装和用量。", ""),
        ("场景", "浴室里的一分钟{category}", "早上赶时间的人，一分钟完成{category}这一步。", "skin"),
        ("直播", "今晚八点，直播间聊{category}", "主播带着{name}讲搭配，下单以页面价格为准。", ""),
    ],
    "wechat": [
        ("品牌", "露苔和它的香气来处", "我们去了云南的产地，看花农怎样在清晨采摘。", ""),
        ("护肤", "换季时，{category}怎么选", "先看肤质，再看季节。{name}适合混合偏干的皮肤，油皮可以隔日用。", "skin"),
        ("会员", "会员积分怎么用", "每消费一元得一分，一百分抵一元，积分自获得之日起十二个月有效。", ""),
    ],
    "email": [
        ("上新", "{name}补货到仓", "您收藏的{name}已经补货。如不想再收到来信，可点击文末退订。", ""),
        ("会员", "您的专属礼遇", "感谢一直以来的陪伴，为您准备了{category}试用装，数量有限，领完即止。", ""),
        ("养护", "{category}使用小贴士", "按这三步来，{name}可以多用一周。如不想再收到来信，可点击文末退订。", ""),
    ],
}

# What may not be said: kind, channel, title, text, what it fits. Sources: 广告法 Art. 9 (absolute terms), 化妆品监督
# 管理条例 Art. 43 (no medical effect), 明码标价和禁止价格欺诈规定 Art. 16–19 (false reference prices), 规范促销行为
# 暂行规定 Art. 17 (no draw above 50,000 yuan).
OFFENCES: list[tuple[str, str, str, str, str]] = [
    ("absolute", "xiaohongshu", "全网最好用的{category}，不接受反驳", "试过几十款，{name}就是最好的，没有之一。", ""),
    ("absolute", "douyin", "销量第一的{name}来了", "全国销量第一，今晚直播间等你。", ""),
    ("absolute", "wechat", "国家级配方，才配得上你的脸", "{name}采用国家级配方，顶级原料。", "skin"),
    ("efficacy", "xiaohongshu", "{name}治好了我的痘痘", "用{name}两周，痘痘全部治愈，医生看了都说好。", "skin"),
    ("efficacy", "wechat", "{category}也能抗炎杀菌？", "{name}可抗炎杀菌、修复受损细胞，对湿疹有疗效。", "skin"),
    ("efficacy", "douyin", "三天美白，七天换肤", "{name}三天见效，一周换一张脸，无效退款。", "skin"),
    ("reference_price", "xiaohongshu", "原价{high}，现在只要{list}", "{name}原价{high}元，限时{list}元。", ""),
    ("reference_price", "email", "{name}直降，原价{high}元", "尊敬的会员，{name}原价{high}元，今日仅{list}元。", ""),
    ("price_mismatch", "xiaohongshu", "{name}到手价{cheap}元攻略", "叠满之后{name}到手价{cheap}元，照着买。", ""),
    ("prize", "wechat", "转发抽奖，最高得十万元现金", "活动期间转发文章即可参与抽奖，特等奖现金十万元。", ""),
]

# What sounds like it and is fine.
INNOCENT: list[tuple[str, str, str, str, str]] = [
    ("near_absolute", "xiaohongshu", "最近在用的{category}", "最近换季，每天晚上都用{name}，分享一下用量。", "skin"),
    ("near_absolute", "wechat", "护肤第一步，先洗对脸", "第一步不是精华，是清洁。水温三十五度左右就够。", "skin"),
    ("near_absolute", "douyin", "活动最后一天提醒", "满减活动今天是最后一天，零点结束。", ""),
    ("near_absolute", "xiaohongshu", "第一次用{category}的人看这里", "第一次用{name}，先从一周两次开始。", "skin"),
    ("near_absolute", "email", "您最喜欢的香气是哪一支？", "回信告诉我们您个人最喜欢的一支，我们按票数安排返场。", ""),
    ("near_efficacy", "wechat", "痘痘肌请先看医生", "{name}是化妆品，不能代替药物。皮肤发炎请先就医。", "skin"),
    ("near_efficacy", "xiaohongshu", "治愈系的周末香气", "治愈系歌单配{name}，周末不出门。", "scent"),
    ("near_price", "xiaohongshu", "{name}标价{list}元，什么时候买划算", "标价{list}元，活动期间按页面立减。", ""),
    ("near_price", "douyin", "{name}日常售价{shown}元", "日常售价{shown}元，以下单页面为准。", ""),
    ("near_absolute", "wechat", "国家级湿地旁的香草田", "产地旁边是国家级湿地公园，我们每年去一次。", ""),
]

# Search words: word, category ("" for none), searches a month, difficulty, place at first, place it drifts to, bid in
# fen, page. Sizes as keyword tools of the platforms show them for words of this kind.
KEYWORDS: list[tuple[str, str, int, int, int, int, int, str]] = [
    ("露苔", "", 5200, 8, 1, 1, 45, "/"),
    ("露苔精华", "精华", 2100, 10, 1, 1, 60, "/c/serum"),
    ("露苔香薰", "无火香薰", 1500, 10, 2, 1, 55, "/c/diffuser"),
    ("保湿精华", "精华", 88000, 72, 46, 34, 260, "/c/serum"),
    ("精华液推荐", "精华", 64000, 78, 62, 55, 310, "/c/serum"),
    ("敏感肌精华", "精华", 31000, 58, 38, 22, 240, "/p/serum0001"),
    ("青苔精华", "精华", 1900, 15, 3, 2, 70, "/p/serum0001"),
    ("烟酰胺精华", "精华", 52000, 70, 70, 66, 280, "/c/serum"),
    ("保湿面霜", "面霜", 76000, 70, 44, 36, 230, "/c/cream"),
    ("冬季面霜", "面霜", 24000, 52, 30, 18, 190, "/c/cream"),
    ("面霜推荐学生党", "面霜", 21000, 44, 41, 33, 150, "/p/cream0003"),
    ("抗皱面霜", "面霜", 58000, 74, 58, 60, 290, "/c/cream"),
    ("氨基酸洁面", "洁面", 69000, 66, 39, 27, 170, "/c/cleanser"),
    ("洗面奶推荐", "洁面", 120000, 82, 80, 78, 240, "/c/cleanser"),
    ("温和洁面", "洁面", 18000, 41, 26, 15, 120, "/p/cleanser0001"),
    ("补水面膜", "面膜", 140000, 80, 52, 68, 210, "/c/mask"),
    ("面膜推荐", "面膜", 160000, 84, 77, 82, 230, "/c/mask"),
    ("平价面膜", "面膜", 47000, 60, 33, 49, 140, "/p/mask0004"),
    ("涂抹面膜", "面膜", 22000, 48, 35, 41, 130, "/c/mask"),
    ("香薰蜡烛", "香薰蜡烛", 43000, 55, 24, 14, 160, "/c/candle"),
    ("香薰蜡烛礼盒", "香薰蜡烛", 12000, 38, 18, 9, 180, "/c/candle"),
    ("大豆蜡蜡烛", "香薰蜡烛", 8000, 30, 21, 16, 110, "/c/candle"),
    ("生日礼物女生", "香薰蜡烛", 210000, 88, 96, 95, 420, "/gift"),
    ("无火香薰", "无火香薰", 38000, 50, 22, 8, 170, "/c/diffuser"),
    ("香薰精油", "无火香薰", 61000, 63, 60, 57, 220, "/c/diffuser"),
    ("卧室香薰", "无火香薰", 26000, 45, 28, 12, 150, "/c/diffuser"),
    ("浴室除味", "无火香薰", 35000, 51, 49, 30, 130, "/p/diffuser0003"),
    ("藤条香薰", "无火香薰", 9000, 28, 15, 6, 100, "/c/diffuser"),
    ("家居香氛品牌", "无火香薰", 6500, 42, 30, 17, 190, "/c/diffuser"),
    ("伴手礼", "", 92000, 76, 88, 84, 350, "/gift"),
    ("栖木精华", "精华", 27000, 35, 64, 60, 150, "/compare/serum"),
    ("初壤面膜", "面膜", 33000, 35, 66, 70, 120, "/compare/mask"),
    ("白屿香薰", "无火香薰", 11000, 33, 58, 44, 110, "/compare/diffuser"),
    ("双11护肤囤货", "", 15000, 62, 71, 52, 260, "/double11"),
    ("圣诞礼物", "", 130000, 85, 92, 90, 380, "/gift"),
    ("香薰礼盒", "香薰蜡烛", 17000, 46, 31, 20, 200, "/gift"),
]  # fmt: skip
