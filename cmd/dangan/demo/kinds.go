package demo

import (
	"fmt"
	"math/rand/v2"

	"dangan/archive"
)

func marriage(r *rand.Rand, p place, i int) archive.Record {
	year := 1950 + r.IntN(75)
	rec := livelihood(p, "marriage", "019", "HY", formed(r, year), i)
	registrar := archive.Person{Name: personName(r, archive.Female), Role: "registrar", Sex: archive.Female}
	rec.Persons = []archive.Person{person(r, "husband", archive.Male, year, 22+r.IntN(15)), person(r, "wife", archive.Female, year, 20+r.IntN(15)), registrar}
	rec.Responsible = p.town + "民政局"
	rec.Fields = map[string]string{
		"registration_kind": "marriage", "registered_on": rec.Date.Original, "registry": p.town + "民政局婚姻登记处",
		"certificate_number": fmt.Sprintf("%s999999-%d-%06d", p.letter, year, i+1), "husband_status": "single", "wife_status": "single",
	}
	if year < 1985 {
		township := pick(r, townships())
		rec.Responsible, rec.Fields["registry"] = township+"人民公社", p.town+township+"人民公社革命委员会"
		rec.Fields["certificate_number"] = fmt.Sprintf("%s字第%d号", string([]rune(township)[:1]), i+1)
	}
	title := pick(r, []string{"%s与%s结婚登记审查处理表", "%s、%s申请结婚登记材料", "关于%s与%s结婚登记的存根"})
	switch {
	case year >= 1980 && chance(r, 15): // what both were before is asked at a marriage only
		delete(rec.Fields, "husband_status")
		delete(rec.Fields, "wife_status")
		rec.Fields["registration_kind"], title = "divorce", pick(r, []string{"%s与%s离婚登记审查处理表", "%s、%s离婚协议及登记材料"})
	case year >= 1995 && chance(r, 10):
		rec.Fields["registration_kind"], title = "reissue", "%s与%s补领结婚证登记表"
	}
	rec.Title = fmt.Sprintf(title, rec.Persons[0].Name, rec.Persons[1].Name)
	if chance(r, 30) {
		rec.Fields["husband_address"], rec.Fields["wife_address"] = p.town+pick(r, townships()), p.town+pick(r, townships())
		rec.Fields["husband_ethnicity"], rec.Fields["wife_ethnicity"] = "汉族", pick(r, []string{"汉族", "汉族", "回族", "藏族"})
	}
	return rec
}

func insurance(r *rand.Rand, p place, i int) archive.Record {
	year := 1986 + r.IntN(39)
	rec := livelihood(p, "social_insurance", "052", "SB", formed(r, year), i)
	who := person(r, "insured", either(r), year, 18+r.IntN(40))
	rec.Persons, rec.Responsible = []archive.Person{who}, p.town+"社会保险事业管理局"
	kinds := []string{"pension", "medical", "injury", "unemployment"}
	names := []string{"养老保险", "医疗保险", "工伤保险", "失业保险"}
	k := r.IntN(len(kinds))
	months := 12 + r.IntN(min(300, 12*(2025-year)))
	rec.Fields = map[string]string{"insurance_kind": kinds[k], "employer": p.town + pick(r, employers()), "from": rec.Date.Original, "months": fmt.Sprint(months)}
	if chance(r, 50) {
		rec.Fields["to"] = month(year+months/12, 1+months%12).Original
	}
	rec.Title = fmt.Sprintf(pick(r, []string{"%s%s参保登记表", "%s职工%s缴费记录", "关于%s%s待遇核定的材料"}), who.Name, names[k])
	return rec
}

func education(r *rand.Rand, p place, i int) archive.Record {
	year := 1950 + r.IntN(75)
	rec := livelihood(p, "education", "034", "XJ", formed(r, year), i)
	stages := []struct {
		code, school string
		age, years   int
	}{{"primary", "第一小学", 7, 6}, {"junior", "初级中学", 12, 3}, {"senior", "中学", 15, 3}, {"vocational", "职业技术学校", 15, 3}, {"higher", "师范专科学校", 18, 3}}
	s := pick(r, stages)
	who := person(r, "student", either(r), year, s.age)
	rec.Persons, rec.Responsible = []archive.Person{who}, p.town+"教育局"
	rec.Fields = map[string]string{"school": p.town + pick(r, townships()) + s.school, "stage": s.code,
		"student_number": fmt.Sprintf("%d%04d", year, 1+r.IntN(2000)), "enrolled": month(year, 9).Original}
	if year+s.years <= 2025 && chance(r, 80) {
		rec.Fields["graduated"] = month(year+s.years, 7).Original
	}
	if chance(r, 30) {
		rec.Persons = append(rec.Persons, archive.Person{Name: personName(r, archive.Female), Role: "teacher", Sex: archive.Female})
	}
	rec.Title = fmt.Sprintf(pick(r, []string{"%s学籍登记表", "%s学籍卡片", "%s毕业生登记表", "关于%s转学的证明材料"}), who.Name)
	return rec
}

func land(r *rand.Rand, p place, i int) archive.Record {
	year := 1982 + r.IntN(42)
	rec := livelihood(p, "land", "061", "TD", formed(r, year), i)
	who := person(r, "contractor", either(r), year, 25+r.IntN(40))
	rec.Persons, rec.Responsible = []archive.Person{who}, p.town+"农业农村局"
	for range r.IntN(3) {
		rec.Persons = append(rec.Persons, person(r, "member", either(r), year, 8+r.IntN(50)))
	}
	village := pick(r, townships()) + pick(r, []string{"石桥村", "柳湾村", "大河村", "青松村"})
	rec.Fields = map[string]string{"parcel": fmt.Sprintf("999999%06d%05d", i, 1+r.IntN(9999)), "village": p.town + village,
		"area_mu": fmt.Sprintf("%d.%02d", 1+r.IntN(12), r.IntN(100)), "term": fmt.Sprintf("%d年至%d年", year, year+30),
		"title_number": fmt.Sprintf("农地承包权（%d）第%06d号", year, i+1)}
	rec.Title = fmt.Sprintf(pick(r, []string{"%s户土地承包经营权登记簿", "%s家庭承包方调查表", "%s承包地块确权公示材料"}), who.Name)
	return rec
}

func military(r *rand.Rand, p place, i int) archive.Record {
	year := 1951 + r.IntN(70)
	rec := livelihood(p, "military", "010", "BY", formed(r, year), i)
	who := person(r, "soldier", archive.Male, year, 18+r.IntN(5))
	rec.Persons, rec.Responsible = []archive.Person{who}, p.town+"人民武装部"
	rec.Fields = map[string]string{"unit": fmt.Sprintf("%05d部队", 30000+r.IntN(60000)), "enlisted": month(year, 12).Original,
		"discharged": month(year+2+r.IntN(4), 12).Original, "placement": p.town + pick(r, employers())}
	rec.Title = fmt.Sprintf(pick(r, []string{"%s应征公民入伍登记表", "%s退伍军人登记表", "关于接收安置退伍军人%s的材料"}), who.Name)
	return rec
}

func either(r *rand.Rand) archive.Sex { return pick(r, []archive.Sex{archive.Male, archive.Female}) }

func townships() []string {
	return []string{"红旗", "东风", "白水", "龙泉", "太平", "双河", "青石", "永安", "云溪", "长乐"}
}

func employers() []string {
	return []string{"第二纺织厂", "农业机械厂", "供销合作社", "水泥厂", "第一建筑公司", "人民医院", "邮电局", "粮油公司", "自来水厂", "电子元件厂"}
}
