"""Bills as the wallets write them, line by line; the summaries add up unless a test says otherwise."""

import gzip
import hashlib
import io
import zipfile
from collections.abc import Sequence

from kit.money import yuan

MERCHANT, SELLER = "1900000109", "2088000000000001"
WECHAT_COLUMNS = [
    "交易时间",
    "公众账号ID",
    "商户号",
    "特约商户号",
    "设备号",
    "微信订单号",
    "商户订单号",
    "用户标识",
    "交易类型",
    "交易状态",
    "付款银行",
    "货币种类",
    "应结订单金额",
    "代金券金额",
    "微信退款单号",
    "商户退款单号",
    "退款金额",
    "充值券退款金额",
    "退款类型",
    "退款状态",
    "商品名称",
    "商户数据包",
    "手续费",
    "费率",
    "订单金额",
    "申请退款金额",
    "费率备注",
]
WECHAT_SUMMARY = [
    "总交易单数",
    "应结订单总金额",
    "退款总金额",
    "充值券退款总金额",
    "手续费总金额",
    "订单总金额",
    "申请退款总金额",
]
ALIPAY_COLUMNS = [
    "支付宝交易号",
    "商户订单号",
    "业务类型",
    "商品名称",
    "创建时间",
    "完成时间",
    "门店编号",
    "门店名称",
    "操作员",
    "终端号",
    "对方账户",
    "订单金额（元）",
    "商家实收（元）",
    "支付宝红包（元）",
    "集分宝（元）",
    "支付宝优惠（元）",
    "商家优惠（元）",
    "券核销金额（元）",
    "券名称",
    "商家红包消费金额（元）",
    "卡消费金额（元）",
    "退款批次号/请求号",
    "服务费（元）",
    "分润（元）",
    "备注",
]
ALIPAY_SUMMARY = [
    "门店编号",
    "门店名称",
    "交易订单总笔数",
    "退款订单总笔数",
    "订单金额（元）",
    "商家实收（元）",
    "支付宝优惠（元）",
    "商家优惠（元）",
    "卡消费金额（元）",
    "服务费（元）",
    "分润（元）",
    "实收净额（元）",
]
Cells = dict[str, str]


def wechat_payment(number: str, fen: int, *, fee: int = 0, transaction: str = "", **cells: str) -> Cells:
    plain = dict.fromkeys(WECHAT_COLUMNS, "")
    return plain | {
        "交易时间": "2026-11-20 10:00:00",
        "公众账号ID": "wxsandbox00000001",
        "商户号": MERCHANT,
        "特约商户号": "0",
        "微信订单号": transaction or f"4200{number}",
        "商户订单号": number,
        "用户标识": "oPayer",
        "交易类型": "JSAPI",
        "交易状态": "SUCCESS",
        "付款银行": "OTHERS",
        "货币种类": "CNY",
        "应结订单金额": yuan(fen),
        "代金券金额": "0.00",
        "退款金额": "0.00",
        "充值券退款金额": "0.00",
        "商品名称": "不动产登记费",
        "手续费": yuan(fee),
        "费率": "0.60%",
        "订单金额": yuan(fen),
        "申请退款金额": "0.00",
        **cells,
    }


def wechat_refund(number: str, refund: str, fen: int, *, fee: int = 0, **cells: str) -> Cells:
    return wechat_payment(number, 0, fee=fee) | {
        "交易状态": "REFUND",
        "微信退款单号": f"50{refund}",
        "商户退款单号": refund,
        "退款金额": yuan(fen),
        "申请退款金额": yuan(fen),
        "退款类型": "ORIGINAL",
        "退款状态": "PROCESSING",
        **cells,
    }


def wechat_file(
    rows: Sequence[Cells],
    *,
    columns: Sequence[str] = WECHAT_COLUMNS,
    summary: Cells | None = None,
    bom: bool = True,
    zipped: bool = True,
) -> tuple[bytes, str]:
    """The file, and the SHA-1 of its plain content."""
    told = {"总交易单数": str(len(rows))} | {
        total: yuan(sum(_fen(row[column]) for row in rows))
        for total, column in (
            ("应结订单总金额", "应结订单金额"),
            ("退款总金额", "退款金额"),
            ("充值券退款总金额", "充值券退款金额"),
            ("手续费总金额", "手续费"),
            ("订单总金额", "订单金额"),
            ("申请退款总金额", "申请退款金额"),
        )
    }
    told |= summary or {}
    lines = [",".join(columns)]
    lines += [",".join(f"`{row.get(column, '')}" for column in columns) for row in rows]
    lines += [",".join(WECHAT_SUMMARY), ",".join(f"`{told[column]}" for column in WECHAT_SUMMARY)]
    content = ("\ufeff" if bom else "").encode() + ("\r\n".join(lines) + "\r\n").encode()
    digest = hashlib.sha1(content).hexdigest()  # noqa: S324 - what WeChat Pay uses
    return (gzip.compress(content) if zipped else content), digest


def alipay_row(number: str, fen: int, *, fee: int = 0, refund: str = "", **cells: str) -> Cells:
    plain = dict.fromkeys(ALIPAY_COLUMNS, "")
    return plain | {
        "支付宝交易号": f"2026{number}",
        "商户订单号": number,
        "业务类型": "退款" if refund else "交易",
        "商品名称": "不动产登记费",
        "创建时间": "2026-11-20 09:59:00",
        "完成时间": "2026-11-20 10:00:00",
        "对方账户": "*明(138****0000)",
        "订单金额（元）": yuan(fen),
        "商家实收（元）": yuan(fen),
        "退款批次号/请求号": refund,
        "服务费（元）": yuan(-fee),
        "分润（元）": "0.00",
        **cells,
    }


def alipay_files(
    rows: Sequence[Cells],
    *,
    columns: Sequence[str] = ALIPAY_COLUMNS,
    summary: Cells | None = None,
    closing: Sequence[str] | None = None,
    account: str = SELLER,
) -> list[bytes]:
    """Details and summary, in GBK."""
    head = [f"#账号：[{account}0156]", "#起始日期：[2026年11月20日 00:00:00]   终止日期：[2026年11月21日 00:00:00]"]
    trades = [row for row in rows if row["业务类型"] == "交易"]
    refunds = [row for row in rows if row["业务类型"] == "退款"]
    if closing is None:
        closing = [
            f"#交易合计：{len(trades)}笔，商家实收共{_sum(trades, '商家实收（元）')}元，商家优惠共0.00元",
            f"#退款合计：{len(refunds)}笔，商家实收退款共{_sum(refunds, '商家实收（元）')}元，商家优惠退款共0.00元",
        ]
    details = ["#支付宝业务明细查询", *head, "#-----业务明细列表----", ",".join(columns)]
    details += [",".join(f"{row.get(column, '')}\t" for column in columns) for row in rows]
    details += ["#-----业务明细列表结束----", *closing, "#导出时间：[2026年11月21日 09:30:00]"]
    told = dict.fromkeys(ALIPAY_SUMMARY, "0.00") | {
        "门店编号": "合计",
        "交易订单总笔数": str(len(trades)),
        "退款订单总笔数": str(len(refunds)),
        **{name: _sum(rows, name) for name in ("订单金额（元）", "商家实收（元）", "服务费（元）")},
    }
    told |= summary or {}
    totals = ["#支付宝业务汇总查询", *head, "#-----业务汇总列表----", ",".join(ALIPAY_SUMMARY)]
    totals += [",".join(f"{told[name]}\t" for name in ALIPAY_SUMMARY), "#-----业务汇总列表结束----"]
    return [("\r\n".join(text) + "\r\n").encode("gbk") for text in (details, totals)]


def zipped(files: Sequence[bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(files):
            archive.writestr(f"20881234_20261120_{number}.csv", content)
    return made.getvalue()


def alipay_zip(rows: Sequence[Cells], **options: object) -> bytes:
    return zipped(alipay_files(rows, **options))  # type: ignore[arg-type]


def _fen(text: str) -> int:
    return int(text.replace(".", ""))


def _sum(rows: Sequence[Cells], column: str) -> str:
    return yuan(sum(_fen(row.get(column, "0.00")) for row in rows))
