from kit.errors import Kind, Problem


class OfficeNotFound(Problem):
    code = "OFFICE_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有找到这个受理点，请返回受理点列表重新选择"


class BusinessNotOffered(Problem):
    code = "BUSINESS_NOT_OFFERED"
    kind = Kind.CONTENT
    title = "这个受理点的窗口不办理这项业务，请换一个受理点或者时段"


class SlotNotFound(Problem):
    code = "SLOT_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有找到这个预约时段，请刷新后重新选择"


class SlotPast(Problem):
    code = "SLOT_PAST"
    kind = Kind.STATE
    title = "这个时段已经开始或者已经过去，请选择以后的时段"


class DayClosed(Problem):
    code = "DAY_CLOSED"
    kind = Kind.STATE
    title = "受理点这一天暂停办公，请选择其他日期"


class SlotFull(Problem):
    code = "SLOT_FULL"
    kind = Kind.STATE
    title = "这个时段已经约满，请选择其他时段"


class AlreadyBooked(Problem):
    """`appointment_id` is the live one."""

    code = "ALREADY_BOOKED"
    kind = Kind.STATE
    title = "您在这类窗口已经有一个预约，请先使用或者取消原来的预约，再预约新的时段"


class AppointmentNotFound(Problem):
    code = "APPOINTMENT_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有找到这个预约，请返回“我的预约”后刷新"


class HoldExpired(Problem):
    code = "HOLD_EXPIRED"
    kind = Kind.STATE
    title = "为您保留的名额已经超时释放，请重新选择时段"


class AlreadyConfirmedAppointment(Problem):
    code = "APPOINTMENT_ALREADY_CONFIRMED"
    kind = Kind.STATE
    title = "这个预约已经确认，无需重复确认"


class AppointmentCancelled(Problem):
    code = "APPOINTMENT_CANCELLED"
    kind = Kind.STATE
    title = "这个预约已经取消，需要办理的请重新预约"


class AppointmentUsed(Problem):
    code = "APPOINTMENT_USED"
    kind = Kind.STATE
    title = "这个预约已经签到，不能取消或者再次使用"


class AppointmentOver(Problem):
    code = "APPOINTMENT_OVER"
    kind = Kind.STATE
    title = "预约的时段已经开始或者已经过去，不能再取消"


class PassNotReady(Problem):
    code = "PASS_NOT_READY"
    kind = Kind.STATE
    title = "预约凭证只在预约确认之后、使用之前出示，请在“我的预约”中查看预约状态"


class PassUnknown(Problem):
    code = "PASS_UNKNOWN"
    kind = Kind.ABSENT
    title = "没有找到这个预约凭证对应的预约，请核对是否为本区受理点的预约"


class WrongOffice(Problem):
    """`office_id` and `office_name` say where the appointment is."""

    code = "WRONG_OFFICE"
    kind = Kind.STATE
    title = "这是另一处受理点的预约，没有签到；请到预约的受理点办理，或者在本处现场取号"


class CheckInTooEarly(Problem):
    """`opens_at` says from when."""

    code = "CHECK_IN_TOO_EARLY"
    kind = Kind.STATE
    title = "还没有到签到时间，预约时段开始前30分钟起可以签到"


class CheckInTooLate(Problem):
    code = "CHECK_IN_TOO_LATE"
    kind = Kind.STATE
    title = "预约的时段已经结束，不能签到，请现场取号或者重新预约"


class DayAlreadyClosed(Problem):
    code = "DAY_ALREADY_CLOSED"
    kind = Kind.STATE
    title = "这一天已经设为暂停办公，无需重复操作"


class DayOver(Problem):
    code = "DAY_OVER"
    kind = Kind.CONTENT
    title = "只能把今天或者以后的日期设为暂停办公"
