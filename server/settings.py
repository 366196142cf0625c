"""Every setting of the house: one frozen object, built in main, worker or cli and passed down."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from kit.http.hosts import unfit_for_real_data
from kit.settings import (
    BaseUrl,
    ClockSettings,
    CryptoSettings,
    DatabaseSettings,
    FilesSettings,
    HttpSettings,
    LogSettings,
    Section,
    WorkerSettings,
    load,
)

Role = Literal["platform", "registry", "all"]
# Ids of Alipay are digits alone: those of our sandbox are known by their zeros.
SANDBOX_MARKS = ("sandbox", "2021000000000001", "2088000000000001")


class WechatSettings(Section):
    """The WeChat mini-program; without it nobody can log in through WeChat."""

    base_url: BaseUrl = Field(default="https://api.weixin.qq.com", description="WeChat's server API")
    app_id: str = Field(description="The mini-program's app id")
    app_secret_file: Path = Field(description="File with the mini-program's secret")
    templates: dict[str, str] = Field(default={}, description="Our template code -> WeChat's template id")


class WechatPaySettings(Section):
    """The WeChat Pay v3 merchant, in public-key mode."""

    base_url: BaseUrl = Field(default="https://api.mch.weixin.qq.com", description="WeChat Pay's API")
    mchid: str = Field(description="Merchant number")
    merchant_serial: str = Field(description="Serial number of the merchant's certificate")
    merchant_key_file: Path = Field(description="The merchant's private key, PEM in PKCS#8")
    platform_keys: dict[str, Path] = Field(description="WeChat Pay's public keys: id or serial -> PEM file")
    platform_key_id: str = Field(description="Which of them answers are to be signed with")
    apiv3_key_file: Path = Field(description="File with the APIv3 key of 32 characters")


class AlipaySettings(Section):
    """The Alipay mini-program, which is the merchant too; without it nobody can log in or pay through Alipay."""

    base_url: BaseUrl = Field(
        default="https://openapi.alipay.com/gateway.do", description="Alipay's gateway, with path"
    )
    app_id: str = Field(description="The mini-program's app id, 16 digits")
    app_key_file: Path = Field(description="The app's private key, PEM in PKCS#8 or PKCS#1")
    public_key_file: Path = Field(description="Alipay's public key (not the app's own), PEM or base64")
    aes_key_file: Path = Field(description="File with the app's AES key in base64, for phone numbers")
    seller_id: str = Field(description="The merchant's Alipay number, 2088 and 12 digits")
    templates: dict[str, str] = Field(default={}, description="Our template code -> Alipay's template id")
    bill_hosts: tuple[str, ...] = Field(
        default=("dwbillcenter.alipay.com",), description="Hosts that daily bills may be downloaded from, no others"
    )


class SmsSettings(Section):
    """Text messages over Tencent Cloud SMS; without it nobody is told by text message."""

    base_url: BaseUrl = Field(default="https://sms.tencentcloudapi.com", description="The provider's API")
    region: str = Field(default="ap-guangzhou", description="Region as the provider calls it")
    secret_id: str = Field(description="SecretId of the key that signs our calls")
    secret_key_file: Path = Field(description="File with the SecretKey")
    app_id: str = Field(description="SdkAppId from the provider's console")
    signature: str = Field(description="The approved signature, without its brackets")
    templates: dict[str, str] = Field(default={}, description="Our template code -> the provider's template id")


class NotificationsSettings(Section):
    """What wallets and the text message provider do not tell in public, so that it can be set when they do."""

    alipay_value_chars: int = Field(
        default=32, ge=8, description="Longest value of an Alipay keyword, in UTF-16 units; not verified with Alipay"
    )
    alipay_data_bytes: int = Field(default=2048, ge=256, description="Longest data of an Alipay message")
    alipay_standing: tuple[str, ...] = Field(
        default=(), description="Our codes of the templates that are long-term ones at Alipay: agreeing once is enough"
    )
    alipay_no_consent: tuple[str, ...] = Field(
        default=(), description="Further sub-codes by which Alipay says that somebody has not subscribed or used it up"
    )
    sms_param_chars: int = Field(default=32, ge=6, description="Longest parameter of a text message")
    sms_text_chars: int = Field(default=500, ge=70, description="Longest text message, its parameters filled in")
    sms_per_day: int = Field(
        default=10, ge=1, description="Text messages to one person within 24 hours; what is more stays in the inbox"
    )


class TaxSettings(Section):
    """The tax bureau's interface."""

    base_url: BaseUrl = Field(description="The bureau's interface")
    key_id: str = Field(description="The id of our key at the bureau")
    key_file: Path = Field(description="Our Ed25519 private key, PEM")
    bureau_key_id: str = Field(description="The id of the bureau's key")
    bureau_key_file: Path = Field(description="The bureau's Ed25519 public key, PEM")


class DepartmentsSettings(Section):
    """The city's data-sharing hub, through which departments are asked; without it everything is uploaded."""

    base_url: BaseUrl = Field(description="The hub's interface")
    key_id: str = Field(description="The id of our key at the hub")
    key_file: Path = Field(description="Our Ed25519 private key, PEM")
    hub_key_id: str = Field(description="The id of the hub's key")
    hub_key_file: Path = Field(description="The hub's Ed25519 public key, PEM")
    timeout_seconds: float = Field(default=3.0, gt=0, le=10, description="How long one department is waited for")


class SfSettings(Section):
    """SF's own interface, beside the tracking provider."""

    base_url: BaseUrl = Field(default="https://bspgw.sf-express.com/std/service", description="SF's interface")
    partner_id: str = Field(description="Our partner id (顾客编码)")
    check_word_file: Path = Field(description="File with the check word (校验码)")


class CarrierSettings(Section):
    """Tracking of posted certificates, by kuaidi100; without it nothing can be posted."""

    base_url: BaseUrl = Field(default="https://poll.kuaidi100.com", description="The tracking provider's interface")
    customer: str = Field(description="Our customer code at the provider")
    key_file: Path = Field(description="File with our key there")
    salt_file: Path = Field(description="File with the salt that pushes are signed with; ours to choose")
    companies: tuple[Literal["ems", "youzhengguonei", "shunfeng"], ...] = Field(
        default=("ems",), description="Carriers to post with; official documents may go by the post alone (邮政法55条)"
    )


class LinkSettings(Section):
    """The road between platform and registry."""

    kind: Literal["embedded", "http"] = Field(default="embedded", description="In one process, or signed over HTTP")
    platform_url: BaseUrl | None = Field(default=None, description="Where the registry reaches the platform")
    registry_url: BaseUrl | None = Field(default=None, description="Where the platform reaches the registry")
    key_file: Path | None = Field(default=None, description="This side's Ed25519 private key, PEM")
    peer_key_file: Path | None = Field(default=None, description="The other side's Ed25519 public key, PEM")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        parts = (self.platform_url, self.registry_url, self.key_file, self.peer_key_file)
        if self.kind == "http" and None in parts:
            raise ValueError("a link over http needs both urls and both keys")
        return self


class RegistrySettings(Section):
    """The registry (登记机构) this installation works for."""

    name: str = Field(default="演示市不动产登记中心", description="Name as printed on certificates")
    code: str = Field(default="320100", description="Issuer code in the QR credential")
    province: str = Field(default="苏", description="The province's short name in certificate numbers")
    city: str = Field(default="南京市", description="City or county in certificate numbers")


class SealSettings(Section):
    """The registry's seal; only the registry role has the private keys."""

    directory: Path | None = Field(default=None, description="Folder with the seal's keys and certificates")
    timestamp_url: BaseUrl | None = Field(
        default=None, description="Time-stamping authority (RFC 3161) asked at each signature; unset: the folder's own"
    )
    credential_keys: tuple[Path, ...] = Field(
        default=(), description="PEM files of the public keys that QR credentials are verified with, beside our own"
    )
    fonts: tuple[Path, ...] = Field(
        default=(Path("/usr/share/fonts/opentype/noto"),), description="Folders with the fonts of certificates"
    )


class SessionSettings(Section):
    """How long a sign-in lasts."""

    resident_idle_minutes: int = Field(default=30, ge=1, description="A resident's session ends unused after this")
    resident_hours: int = Field(default=12, ge=1, description="A resident's session ends in any case after this")
    staff_idle_minutes: int = Field(default=15, ge=1, description="A staff session ends unused after this")
    staff_hours: int = Field(default=10, ge=1, description="A staff session ends in any case after this")


class PaymentsSettings(Section):
    """Rules of the house about money."""

    confirm_refunds_from_fen: int = Field(
        default=50_000,
        ge=0,
        description="From this sum on (fen, with what staff gave back of the same payment before) a refund waits for a "
        "second person of finance; 0: every one",
    )


class LimitSettings(Section):
    """Rate limits."""

    factor: int = Field(default=1, ge=1, description="Multiplies every rate limit; races and benches raise it")


class Settings(Section):
    """The whole of it."""

    mode: Literal["embedded", "city"] = Field(
        default="embedded", description="`city` refuses sandbox keys and addresses"
    )
    role: Role = Field(default="all", description="Which side this process serves")
    test_mode: bool = Field(default=False, description="Allows a moved clock and planned crashes")
    database: DatabaseSettings
    files: FilesSettings
    crypto: CryptoSettings
    http: HttpSettings = HttpSettings()
    worker: WorkerSettings = WorkerSettings()
    log: LogSettings = LogSettings()
    clock: ClockSettings = ClockSettings()
    wechat: WechatSettings | None = None
    wechat_pay: WechatPaySettings | None = None
    alipay: AlipaySettings | None = None
    sms: SmsSettings | None = None
    notifications: NotificationsSettings = NotificationsSettings()
    tax: TaxSettings | None = None
    departments: DepartmentsSettings | None = None
    carrier: CarrierSettings | None = None
    carrier_sf: SfSettings | None = None
    link: LinkSettings = LinkSettings()
    registry: RegistrySettings = RegistrySettings()
    seal: SealSettings = SealSettings()
    sessions: SessionSettings = SessionSettings()
    payments: PaymentsSettings = PaymentsSettings()
    limits: LimitSettings = LimitSettings()

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if not self.test_mode and (self.worker.crash_at or self.clock.offset_file):
            raise ValueError("crash_at and offset_file are for test_mode")
        if self.role != "all" and self.link.kind == "embedded":
            raise ValueError("one side alone needs a link over http")
        if self.role == "all" and self.link.kind == "http":
            # Its callbacks would take one key for both sides.
            raise ValueError("both sides in one process need no link over http")
        if self.mode == "city":
            self._refuse_sandbox()
        return self

    def _refuse_sandbox(self) -> None:
        if self.test_mode or self.limits.factor != 1:
            raise ValueError("a city runs without test_mode and without raised limits")
        if self.database.url.startswith("sqlite"):
            raise ValueError("a city runs on MySQL or MariaDB")
        for room in (
            "wechat",
            "wechat_pay",
            "alipay",
            "sms",
            "tax",
            "departments",
            "carrier",
            "carrier_sf",
            "link",
            "seal",
        ):
            section: Section | None = getattr(self, room)
            for name, value in section.model_dump().items() if section else ():
                if any(mark in str(value).lower() for mark in SANDBOX_MARKS):
                    raise ValueError(f"{room}.{name} is a sandbox value; a city needs real ones")
        for name, url in self._addresses():
            why = unfit_for_real_data(url)
            if why is not None:
                raise ValueError(f"{name} {why}; a city's people are served over https by other machines")

    def _addresses(self) -> Iterator[tuple[str, str]]:
        """Where real people's data would travel, and what is printed on their certificates."""
        yield "http.public_base_url", self.http.public_base_url
        for room in ("wechat", "wechat_pay", "alipay", "sms", "tax", "departments", "carrier", "carrier_sf"):
            section = getattr(self, room)
            if section is not None:
                yield f"{room}.base_url", section.base_url
        for host in self.alipay.bill_hosts if self.alipay else ():
            yield "alipay.bill_hosts", f"https://{host}"
        for name in ("platform_url", "registry_url"):
            url = getattr(self.link, name)
            if url is not None:
                yield f"link.{name}", url


def read(path: Path | None) -> Settings:
    """The settings from a TOML file and the environment."""
    return load(Settings, path)
