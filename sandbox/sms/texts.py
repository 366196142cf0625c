"""The texts of text messages as the provider approved them: what the city applied for, its parameters numbered."""

TEXTS = {
    "confirmation_requested": "有一件不动产登记申请（编号{1}）等待您本人确认，请打开小程序核对后确认。",
    "party_refused": "您参与的不动产登记申请（编号{1}）因有一方不同意已终止，没有提交给登记机构。",
    "application_expired": "您的不动产登记申请（编号{1}）没有在期限内完成，已失效，需要办理的请在小程序中重新申请。",
    "case_accepted": "您的不动产登记申请已受理，受理编号{1}，受理凭证可在小程序中查看。",
    "correction_asked": "您的不动产登记申请（编号{1}）需要补正材料，请打开小程序查看补正通知并按期补齐。",
    "case_refused": "登记机构对您的不动产登记申请（编号{1}）作出了不予受理或者不予登记的决定，请打开小程序查看。",
    "fee_due": "您的不动产登记（编号{1}）应缴登记费{2}元，请打开小程序缴纳。",
    "refund_settled": "您的不动产登记（编号{1}）已退回{2}元，请留意付款的钱包。",
    "case_entered": "您的不动产登记（编号{1}）已记入不动产登记簿，登记完成。",
    "certificate_ready": "您的不动产登记（编号{1}）的电子证书已制作完成，请打开小程序查看。",
    "progress_notice": "登记机构就您的不动产登记（编号{1}）发来一条通知，请打开小程序查看。",
    "appointment_booked": "您已预约{1}办理不动产登记，号码{2}，请凭小程序中的预约凭证按时签到。",
    "appointment_cancelled": "您原定{1}的不动产登记预约（号码{2}）已经取消，需要办理的请重新预约。",
    "appointment_office_closed": "办事大厅当天暂停办公，您原定{1}的预约（号码{2}）已经取消，请在小程序中改约其他日期。",
    "delivery_dispatched": "您申请邮寄的不动产登记文件已寄出，运单号{1}，请由收件人本人凭身份证件签收。",
    "delivery_problem": "您申请邮寄的不动产登记文件（运单号{1}）没有顺利送达，请打开小程序查看。",
}
