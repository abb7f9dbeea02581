package demo

import (
	"fmt"
	"math/rand/v2"

	"dangan/archive"
)

// material is a kind of paper in a personnel file: its class of the ten
// (domain: 干部人事档案材料十大类) and its name.
type material struct{ class, name string }

func materials() []material {
	return []material{
		{"1", "干部履历表"}, {"1", "职工登记表"}, {"2", "自传"}, {"3", "年度考核登记表"}, {"3", "转正定级鉴定表"},
		{"4-1", "高等学校毕业生登记表"}, {"4-2", "专业技术职务任职资格评审表"}, {"4-3", "论文评审意见"}, {"4-4", "培训结业鉴定表"},
		{"5", "政治审查表"}, {"6", "入团志愿书"}, {"7", "先进工作者登记表"}, {"8", "警告处分决定"}, {"9-1", "工资变动审批表"},
		{"9-2", "干部任免审批表"}, {"9-3", "因私出国（境）备案表"}, {"9-4", "职工代表大会代表登记表"}, {"10", "离退休审批表"},
	}
}

func dossierItem(r *rand.Rand, i int) archive.Record {
	year := 1955 + r.IntN(69)
	who := person(r, "subject", either(r), year, 20+r.IntN(38))
	employer := "云岭区" + pick(r, employers())
	return item(who, pick(r, materials()), formed(r, year), employer, 1+r.IntN(20), i)
}

func item(who archive.Person, m material, date archive.Date, employer string, number, i int) archive.Record {
	return archive.Record{
		Level: archive.LevelItem, Family: archive.Personnel, Category: "dossier_item", Office: yunling, Fonds: "R901",
		RefCode: code("R901", "", date.Year, archive.Permanent, i), Title: who.Name + m.name, Responsible: employer, Date: date,
		Persons: []archive.Person{who}, Retention: archive.Permanent, Openness: archive.Controlled,
		Fields: map[string]string{"class": m.class, "item": fmt.Sprint(number), "employer": employer},
	}
}

// dossier is one person's file, in the order of its directory.
func dossier(first int) []archive.Record {
	who := archive.Person{Name: "尉迟云华", Aliases: []string{"尉迟小华"}, Role: "subject", Sex: archive.Female,
		Birth: day(1962, 3, 9), ID: residentID(1962, 3, 9, 46)}
	papers := []struct {
		material
		date archive.Date
	}{
		{material{"1", "干部履历表"}, day(1996, 8, 12)},
		{material{"4-1", "高等学校毕业生登记表"}, month(1983, 7)},
		{material{"4-2", "专业技术职务任职资格评审表"}, day(1998, 11, 3)},
		{material{"7", "先进工作者登记表"}, written("1991")},
		{material{"9-1", "工资变动审批表"}, day(2006, 7, 1)},
	}
	var list []archive.Record
	for k, p := range papers {
		rec := item(who, p.material, p.date, "云岭区人民医院", k+1, first+k)
		rec.RefCode = archive.BuildRefCode("R901", []string{"RS", "1996", "Y"}, "0412", p.class, fmt.Sprintf("%03d", k+1))
		rec.Note = "个人档案第0412号，原件"
		list = append(list, rec)
	}
	return list
}
