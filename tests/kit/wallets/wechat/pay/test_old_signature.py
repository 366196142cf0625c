"""WeChat Pay's published vector of its second version, which we do not speak; kept for the rules of its day."""

from wechatpy.pay.utils import calculate_signature


def test_the_published_md5_example():
    parameters = {
        "appId": "wxd678efh567hg6787",
        "nonceStr": "5K8264ILTKCH16CQ2502SI8ZNMTM67VS",
        "package": "prepay_id=wx2017033010242291fcfe0db70013231072",
        "signType": "MD5",
        "timeStamp": "1490840662",
    }
    assert calculate_signature(parameters, "qazwsxedcrfvtgbyhnujmikolp111111") == "22D9B4E54AB1950F51E0649E8810ACD6"
