package demo

import "dangan/archive"

// Places of the fixed records in the row, by which the requests name them.
const (
	ofMarriage = iota
	ofSchool
	ofInsurance
	ofSecondMarriage
	ofCollege
	noRecord = -1
)

// fixedRecords begin with those of the two citizens; a dossier of several items
// follows.
func fixedRecords() []archive.Record {
	list := []archive.Record{canonicalMarriage(), school(), insured(), secondMarriage(), college()}
	return append(list, dossier(len(list))...)
}

func as(p archive.Person, role string) archive.Person { p.Role = role; return p }

func canonicalMarriage() archive.Record {
	r := livelihood(qingchuanPlace(), "marriage", "019", "HY", day(2010, 5, 20), ofMarriage)
	r.Title, r.Responsible = "陈清舟与李㛃结婚登记审查处理表", "青川市民政局"
	r.Persons = []archive.Person{husband(), wife(), {Name: "高秀兰", Role: "registrar", Sex: archive.Female}}
	r.Openness = archive.Controlled
	r.Fields = map[string]string{
		"registration_kind": "marriage", "certificate_number": "J999999-2010-003456", "registered_on": "20100520",
		"registry": "青川市民政局婚姻登记处", "husband_ethnicity": "汉族", "wife_ethnicity": "汉族", "husband_status": "single", "wife_status": "single",
		"husband_address": "青川市红旗镇石桥村", "wife_address": "青川市白水镇柳湾村",
	}
	return r
}

func school() archive.Record {
	r := livelihood(qingchuanPlace(), "education", "034", "XJ", day(2003, 9, 1), ofSchool)
	r.Title, r.Responsible, r.Persons = "陈清舟学籍登记表", "青川市教育局", []archive.Person{as(husband(), "student")}
	r.Fields = map[string]string{"school": "青川市第一中学", "stage": "senior", "student_number": "20030117", "enrolled": "200309", "graduated": "200607"}
	return r
}

func insured() archive.Record {
	r := livelihood(qingchuanPlace(), "social_insurance", "052", "SB", day(2009, 7, 1), ofInsurance)
	r.Title, r.Responsible, r.Persons = "陈清舟养老保险参保登记表", "青川市社会保险事业管理局", []archive.Person{as(husband(), "insured")}
	r.Fields = map[string]string{"insurance_kind": "pension", "employer": "青川市电子元件厂", "from": "200907", "months": "168"}
	return r
}

// secondMarriage is of a time of short numbers, and has her former name.
func secondMarriage() archive.Record {
	r := livelihood(linjiangPlace(), "marriage", "019", "HY", day(1999, 9, 9), ofSecondMarriage)
	bride := graduate()
	bride.Aliases = []string{"周小妹"}
	bride.ID = archive.NewIDNumber(archive.IDResident, bride.ID.Original[:6]+bride.ID.Original[8:17])
	groom := archive.Person{Name: "马国强", Role: "husband", Sex: archive.Male, Birth: day(1976, 2, 11), ID: archive.NewIDNumber(archive.IDResident, "999999760211035")}
	r.Title, r.Responsible, r.Persons = "马国强与周静怡结婚登记审查处理表", "临江县民政局", []archive.Person{groom, bride}
	r.Fields = map[string]string{"registration_kind": "marriage", "certificate_number": "临结字第990917号", "registered_on": "19990909", "registry": "临江县民政局婚姻登记处"}
	return r
}

// college names her as she was called then, with no number.
func college() archive.Record {
	r := livelihood(linjiangPlace(), "education", "034", "XJ", written("1997年9月"), ofCollege)
	student := archive.Person{Name: "周小妹", Aliases: []string{"周静怡"}, Role: "student", Sex: archive.Female, Birth: month(1979, 6)}
	r.Title, r.Responsible, r.Persons = "周小妹毕业生登记表", "临江县教育局", []archive.Person{student}
	r.Fields = map[string]string{"school": "临江县师范专科学校", "stage": "higher", "student_number": "970082", "enrolled": "199709", "graduated": "200007"}
	return r
}
