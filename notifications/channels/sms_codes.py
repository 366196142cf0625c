"""What Tencent Cloud SMS may refuse, and what it means to us; the codes as its SDK and documentation list them."""

from collections.abc import Mapping
from enum import Enum


class Verdict(Enum):
    """What a refusal means here."""

    NO_CONSENT = "no consent"
    FOR_GOOD = "for good"
    FOR_NOW = "for now"


_NO_CONSENT = ("FailedOperation.PhoneNumberInBlacklist", "FailedOperation.PhoneNumberOnBlacklist")
# Will pass by itself, or as soon as somebody has paid the bill.
_FOR_NOW = (
    "FailedOperation",
    "FailedOperation.InsufficientBalanceInSmsPackage",
    "InternalError",
    "InternalError.OtherError",
    "InternalError.RequestTimeException",
    "InternalError.SendAndRecvFail",
    "InternalError.Timeout",
    "InternalError.UnknownError",
    "AuthFailure.SignatureExpire",
    "LimitExceeded",
    "LimitExceeded.AppDailyLimit",
    "LimitExceeded.DailyLimit",
    "LimitExceeded.DeliveryFrequencyLimit",
    "LimitExceeded.PhoneNumberDailyLimit",
    "LimitExceeded.PhoneNumberOneHourLimit",
    "LimitExceeded.PhoneNumberThirtySecondLimit",
    "RequestLimitExceeded",
    "RequestLimitExceeded.GlobalRegionUinLimitExceeded",
    "RequestLimitExceeded.IPLimitExceeded",
    "RequestLimitExceeded.UinLimitExceeded",
    "ResourceUnavailable",
    "ServiceUnavailable",
    "UnauthorizedOperation.SerivceSuspendDueToArrears",
)
_FOR_GOOD = (
    "ActionOffline",
    "AuthFailure.InvalidAuthorization",
    "AuthFailure.InvalidSecretId",
    "AuthFailure.MFAFailure",
    "AuthFailure.SecretIdNotFound",
    "AuthFailure.SignatureFailure",
    "AuthFailure.TokenFailure",
    "AuthFailure.UnauthorizedOperation",
    "FailedOperation.ContainSensitiveWord",
    "FailedOperation.FailResolvePacket",
    "FailedOperation.JsonParseFail",
    "FailedOperation.MarketingSendTimeConstraint",
    "FailedOperation.MissingSignature",
    "FailedOperation.MissingSignatureList",
    "FailedOperation.MissingTemplateList",
    "FailedOperation.NotEnterpriseCertification",
    "FailedOperation.OtherError",
    "FailedOperation.ParametersOtherError",
    "FailedOperation.SignatureIncorrectOrUnapproved",
    "FailedOperation.TemplateIncorrectOrUnapproved",
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate",
    "InternalError.JsonParseFail",
    "InternalError.RestApiInterfaceNotExist",
    "InternalError.SigFieldMissing",
    "InternalError.SigVerificationFail",
    "InvalidAction",
    "InvalidParameter",
    "InvalidParameter.AppidAndBizId",
    "InvalidParameter.DirtyWordFound",
    "InvalidParameter.InvalidParameters",
    "InvalidParameterValue",
    "InvalidParameterValue.BeginTimeVerifyFail",
    "InvalidParameterValue.ContentLengthLimit",
    "InvalidParameterValue.EndTimeVerifyFail",
    "InvalidParameterValue.IncorrectPhoneNumber",
    "InvalidParameterValue.InvalidStartTime",
    "InvalidParameterValue.InvalidTemplateFormat",
    "InvalidParameterValue.LimitVerifyFail",
    "InvalidParameterValue.OffsetVerifyFail",
    "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter",
    "InvalidParameterValue.SdkAppIdNotExist",
    "InvalidParameterValue.TemplateParameterFormatError",
    "InvalidParameterValue.TemplateParameterLengthLimit",
    "InvalidParameterValue.TemplateWithDirtyWords",
    "InvalidRequest",
    "IpInBlacklist",
    "IpNotInWhitelist",
    "LimitExceeded.PhoneNumberCountLimit",
    "LimitExceeded.PhoneNumberSameContentDailyLimit",
    "MissingParameter",
    "MissingParameter.EmptyPhoneNumberSet",
    "NoSuchProduct",
    "NoSuchVersion",
    "UnauthorizedOperation",
    "UnauthorizedOperation.IndividualUserMarketingSmsPermissionDeny",
    "UnauthorizedOperation.RequestIpNotInWhitelist",
    "UnauthorizedOperation.RequestPermissionDeny",
    "UnauthorizedOperation.SdkAppIdIsDisabled",
    "UnauthorizedOperation.SmsSdkAppIdVerifyFail",
    "UnknownParameter",
    "UnsupportedOperation",
    "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber",
    "UnsupportedOperation.UnsuportedRegion",
    "UnsupportedRegion",
)

VERDICTS: Mapping[str, Verdict] = {
    **dict.fromkeys(_NO_CONSENT, Verdict.NO_CONSENT),
    **dict.fromkeys(_FOR_NOW, Verdict.FOR_NOW),
    **dict.fromkeys(_FOR_GOOD, Verdict.FOR_GOOD),
}
