"""The field's coded values in our words, each with its Chinese text and its usual national code.

Regions differ and national tables change: what goes over the wire is read from the dictionaries of the
catalogue, whose shipped rows agree with these.
"""

from enum import StrEnum
from typing import Self


class Coded(StrEnum):
    """A word of ours with the national code and the Chinese text it stands for."""

    national: str
    text: str

    def __new__(cls, word: str, national: str = "", text: str = "") -> Self:
        # The defaults only let type checkers see that Kind("word") looks a member up.
        member = str.__new__(cls, word)
        member._value_ = word
        member.national = national
        member.text = text
        return member


class RegistrationType(Coded):
    """登记类型 DJLX."""

    FIRST = "first", "100", "首次登记"
    TRANSFER = "transfer", "200", "转移登记"
    CHANGE = "change", "300", "变更登记"
    CANCELLATION = "cancellation", "400", "注销登记"
    CORRECTION = "correction", "500", "更正登记"
    OBJECTION = "objection", "600", "异议登记"
    PRE_NOTICE = "pre_notice", "700", "预告登记"
    SEIZURE = "seizure", "800", "查封登记"
    OTHER = "other", "900", "其他登记"


class RightType(Coded):
    """权利类型 QLLX; 23, 92, 97 and 98 differ between cities' systems and are local by nature."""

    COLLECTIVE_LAND = "collective_land", "1", "集体土地所有权"
    STATE_LAND = "state_land", "2", "国家土地所有权"
    STATE_CONSTRUCTION_LAND = "state_construction_land", "3", "国有建设用地使用权"
    STATE_LAND_AND_HOUSE = "state_land_and_house", "4", "国有建设用地使用权/房屋所有权"
    HOMESTEAD = "homestead", "5", "宅基地使用权"
    HOMESTEAD_AND_HOUSE = "homestead_and_house", "6", "宅基地使用权/房屋所有权"
    COLLECTIVE_CONSTRUCTION_LAND = "collective_construction_land", "7", "集体建设用地使用权"
    COLLECTIVE_LAND_AND_HOUSE = "collective_land_and_house", "8", "集体建设用地使用权/房屋所有权"
    CONTRACTED_LAND = "contracted_land", "9", "土地承包经营权"
    CONTRACTED_LAND_AND_TREES = "contracted_land_and_trees", "10", "土地承包经营权/森林、林木所有权"
    FOREST_LAND = "forest_land", "11", "林地使用权"
    FOREST_LAND_AND_TREES = "forest_land_and_trees", "12", "林地使用权/森林、林木所有权"
    GRASSLAND = "grassland", "13", "草原使用权"
    AQUACULTURE = "aquaculture", "14", "水域滩涂养殖权"
    SEA_AREA = "sea_area", "15", "海域使用权"
    SEA_AREA_AND_STRUCTURE = "sea_area_and_structure", "16", "海域使用权/构筑物所有权"
    ISLAND = "island", "17", "无居民海岛使用权"
    ISLAND_AND_STRUCTURE = "island_and_structure", "18", "无居民海岛使用权/构筑物所有权"
    EASEMENT = "easement", "19", "地役权"
    WATER_INTAKE = "water_intake", "20", "取水权"
    MINERAL_EXPLORATION = "mineral_exploration", "21", "探矿权"
    MINING = "mining", "22", "采矿权"
    MORTGAGE = "mortgage", "23", "抵押权"
    HABITATION = "habitation", "92", "居住权"
    OBJECTION = "objection", "97", "异议"
    SEIZURE = "seizure", "98", "查封"
    OTHER = "other", "99", "其它权利"


class RightNature(Coded):
    """权利性质 QLXZ."""

    STATE_LAND = "state_land", "100", "国有土地"
    ALLOCATED = "allocated", "101", "划拨"
    GRANTED = "granted", "102", "出让"
    CAPITAL_CONTRIBUTION = "capital_contribution", "103", "作价出资（入股）"
    LEASED = "leased", "104", "租赁"
    AUTHORISED = "authorised", "105", "授权经营"
    COLLECTIVE_LAND = "collective_land", "200", "集体土地"
    HOUSEHOLD_CONTRACT = "household_contract", "201", "家庭承包"
    OTHER_CONTRACT = "other_contract", "202", "其它方式承包"
    APPROVED_ALLOCATION = "approved_allocation", "203", "批准拨用"
    SHAREHOLDING = "shareholding", "204", "入股"
    JOINT_VENTURE = "joint_venture", "205", "联营"


class HouseNature(Coded):
    """房屋性质 FWXZ."""

    MARKET = "market", "0", "市场化商品房"
    RELOCATION = "relocation", "1", "动迁房"
    SUPPORTING = "supporting", "2", "配套商品房"
    PUBLIC_RENTAL = "public_rental", "3", "公共租赁住房"
    LOW_RENT = "low_rent", "4", "廉租住房"
    PRICE_LIMITED = "price_limited", "5", "限价普通商品住房"
    AFFORDABLE = "affordable", "6", "经济适用住房"
    DESIGNATED_SALE = "designated_sale", "7", "定销商品房"
    JOINTLY_BUILT = "jointly_built", "8", "集资建房"
    WELFARE = "welfare", "9", "福利房"
    OTHER = "other", "99", "其它"


class HouseUsage(Coded):
    """房屋用途 FWYT; parking and storage have local codes only."""

    RESIDENTIAL = "residential", "10", "住宅"
    APARTMENT = "apartment", "11", "成套住宅"
    VILLA = "villa", "111", "别墅"
    LUXURY_APARTMENT = "luxury_apartment", "112", "高档公寓"
    PARTIAL_APARTMENT = "partial_apartment", "12", "非成套住宅"
    DORMITORY = "dormitory", "13", "集体宿舍"
    PARKING = "parking", "14", "车库"
    STORAGE = "storage", "17", "储藏室"
    INDUSTRY_TRANSPORT_STORAGE = "industry_transport_storage", "20", "工业、交通、仓储"
    INDUSTRY = "industry", "21", "工业"
    PUBLIC_UTILITY = "public_utility", "22", "公共设施"
    WAREHOUSE = "warehouse", "27", "仓储"
    COMMERCE_FINANCE_INFORMATION = "commerce_finance_information", "30", "商业、金融、信息"
    COMMERCE = "commerce", "31", "商业服务"
    BUSINESS = "business", "32", "经营"
    TOURISM = "tourism", "33", "旅游"
    FINANCE = "finance", "34", "金融保险"
    EDUCATION_HEALTH_RESEARCH = "education_health_research", "40", "教育、医疗、卫生、科研"
    EDUCATION = "education", "41", "教育"
    MEDICAL = "medical", "42", "医疗卫生"
    CULTURE_SPORT = "culture_sport", "50", "文化、娱乐、体育"
    OFFICE = "office", "60", "办公"
    MILITARY = "military", "70", "军事"
    OTHER = "other", "80", "其它"
    FOREIGN_AFFAIRS = "foreign_affairs", "81", "涉外"
    RELIGION = "religion", "82", "宗教"
    PRISON = "prison", "83", "监狱"
    PROPERTY_MANAGEMENT = "property_management", "84", "物管用房"

    def is_home(self) -> bool:
        """Whether the residential registration fee and the tax rules for homes apply."""
        return self.national.startswith("1") and not self.is_parking()

    def is_parking(self) -> bool:
        """Garage, parking lot or storeroom (车库、车位、储藏室)."""
        return self in {HouseUsage.PARKING, HouseUsage.STORAGE}


class HouseStructure(Coded):
    """房屋结构 FWJG."""

    STEEL = "steel", "1", "钢结构"
    STEEL_AND_CONCRETE = "steel_and_concrete", "2", "钢和钢筋混凝土结构"
    REINFORCED_CONCRETE = "reinforced_concrete", "3", "钢筋混凝土结构"
    MIXED = "mixed", "4", "混合结构"
    BRICK_AND_WOOD = "brick_and_wood", "5", "砖木结构"
    OTHER = "other", "6", "其它结构"


class CoOwnership(Coded):
    """共有方式 GYFS."""

    SOLE = "sole", "0", "单独所有"
    JOINT = "joint", "1", "共同共有"
    BY_SHARES = "by_shares", "2", "按份共有"
    OTHER = "other", "3", "其它共有"


class IdKind(Coded):
    """证件种类 ZJZL; several kinds share a national code."""

    RESIDENT_ID = "resident_id", "1", "居民身份证"
    HMT_RESIDENCE_PERMIT = "hmt_residence_permit", "2", "港澳台居民居住证"
    HM_TRAVEL_PERMIT = "hm_travel_permit", "2", "港澳居民来往内地通行证"
    TAIWAN_TRAVEL_PERMIT = "taiwan_travel_permit", "2", "台湾居民来往大陆通行证"
    PASSPORT = "passport", "3", "中国护照"
    FOREIGN_PASSPORT = "foreign_passport", "3", "外国护照"
    HOUSEHOLD_REGISTER = "household_register", "4", "户口簿"
    MILITARY = "military", "5", "军官证（士兵证）"
    ORGANISATION_CODE = "organisation_code", "6", "组织机构代码证"
    BUSINESS_LICENCE = "business_licence", "7", "营业执照"
    PERMANENT_RESIDENT_CARD = "permanent_resident_card", "99", "外国人永久居留身份证"
    OTHER = "other", "99", "其他证件"


class HolderType(Coded):
    """权利人类型 QLRLX."""

    PERSON = "person", "1", "个人"
    ENTERPRISE = "enterprise", "2", "企业"
    PUBLIC_INSTITUTION = "public_institution", "3", "事业单位"
    STATE_ORGAN = "state_organ", "4", "国家机关"
    OTHER = "other", "99", "其他"


class PartyRole(Coded):
    """In what role somebody takes part in an entry; the code is the usual abbreviation, no number."""

    RIGHT_HOLDER = "right_holder", "QLR", "权利人"
    OBLIGOR = "obligor", "YWR", "义务人"
    CO_OWNER = "co_owner", "GYR", "共有人"
    AGENT = "agent", "DLR", "代理人"
    GUARDIAN = "guardian", "JHR", "监护人"
    LEGAL_REPRESENTATIVE = "legal_representative", "FDDBR", "法定代表人"
    INTERESTED_PARTY = "interested_party", "LHGXR", "利害关系人"
