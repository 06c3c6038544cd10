"""The headers of real exports, where they lie, are known: each to one format, and as the exporters write them."""

import csv
import io

import pytest

from playbook.data.demo.exports.files import header
from playbook.data.ingest.formats import choose, load_formats

FORMATS = {
    "alimama_jihua_baobiao": "alimama_plans",
    "amazon_all_orders_flatfile_tsv": "amazon_orders",
    "amazon_business_report_child_asin": "amazon_business_report",
    "douyin_doudian_order_export": "douyin_orders",
    "douyin_doudian_settlement_export": "douyin_settlements",
    "ga4_bigquery_events_csv": "ga4_events",
    "ga4_traffic_acquisition": "ga4_traffic",
    "google_ads_campaign_report": "google_ads_campaigns",
    "google_ads_campaign_report_variant": "google_ads_campaigns",
    "jd_order_export": "jd_orders",
    "meta_ads_manager_campaign": "meta_ads_campaigns",
    "meta_ads_manager_es": "meta_ads_campaigns",
    "shopify_customers_export": "shopify_customers",
    "shopify_orders_export": "shopify_orders",
    "sycm_shangpin_quanbu_38col": "sycm_products",
    "taobao_order_list_legacy_A": "taobao_orders",
    "taobao_order_list_legacy_B": "taobao_orders",
    "taobao_tmall_order_detail_legacy": "taobao_items",
    "tmall_order_report_teaching_dataset": "tmall_order_report",
    "wanxiangtai_zhannei_tuiguang_76col": "wanxiangtai",
    "woocommerce_order_csv_export_webtoffee_partial": "woocommerce_orders",
}
WRITTEN = {
    "alimama_jihua_baobiao": "alimama",
    "douyin_doudian_order_export": "douyin_orders_short",
    "douyin_doudian_settlement_export": "douyin_settlements",
    "ga4_bigquery_events_csv": "ga4_events",
    "ga4_traffic_acquisition": "ga4_traffic",
    "google_ads_campaign_report": "google_ads",
    "jd_order_export": "jd_orders",
    "shopify_orders_export": "shopify_orders",
    "sycm_shangpin_quanbu_38col": "sycm",
    "taobao_order_list_legacy_A": "taobao_orders",
    "taobao_tmall_order_detail_legacy": "taobao_items",
    "wanxiangtai_zhannei_tuiguang_76col": "wanxiangtai",
}


def real(real_data, name):
    path = real_data / "export_formats" / f"{name}.header.txt"
    if not path.is_file():
        pytest.skip(f"no {path.name}")
    text = path.read_text(encoding="utf-8-sig").strip("\n")
    return next(csv.reader(io.StringIO(text), delimiter="\t" if "\t" in text else ","))


@pytest.mark.parametrize("name", FORMATS)
def test_a_real_header_is_known_to_one_format(real_data, name):
    assert choose(load_formats(), "export.csv", real(real_data, name), "corner").name == FORMATS[name]


@pytest.mark.parametrize("name", WRITTEN)
def test_an_exporter_writes_the_platforms_own_columns(real_data, name):
    assert header(WRITTEN[name]) == [h.strip() for h in real(real_data, name)]
