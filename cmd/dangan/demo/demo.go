// Package demo makes a synthetic archive office: offices, accounts, records of
// both families with scans, and requests in every state.
//
// It owns what that office looks like, and that it is the same every time. It
// must not know how anything is stored: it fills a house through the use cases,
// as people would. Everybody in it is made up; their id numbers are of the
// region 999999, which does not exist.
package demo

import "dangan/archive"

// The identifiers of the offices are fixed, so that keys made from them mean the
// same in every demonstration.
const (
	qingchuan = "01K00000000000000000QNGCHN"
	linjiang  = "01K00000000000000000JNJANG"
	yunling   = "01K00000000000000000YNJNGX"
)

// User names of the accounts that the requests of the demonstration are made by.
const (
	firstCitizen  = "citizen"
	secondCitizen = "citizen2"
)

// Offices lists two archives with livelihood records, and one that keeps
// personnel files.
func Offices() []archive.Office {
	return []archive.Office{
		{ID: qingchuan, Name: archive.Label{ZH: "青川市档案馆", EN: "Qingchuan City Archives"}, Short: "青民档证",
			Fonds: []string{"J019", "J034", "J052", "J061", "J010"}, SealNumber: "9999990000117", Phone: "0000-5550119"},
		{ID: linjiang, Name: archive.Label{ZH: "临江县档案馆", EN: "Linjiang County Archives"}, Short: "临民档证",
			Fonds: []string{"L019", "L034", "L052", "L061", "L010"}, SealNumber: "9999990000225", Phone: "0000-5550219"},
		{ID: yunling, Name: archive.Label{ZH: "云岭区人才档案中心", EN: "Yunling District Personnel Archives Centre"}, Short: "云人档证",
			Fonds: []string{"R901"}, SealNumber: "9999990000333", Phone: "0000-5550319"},
	}
}

// Accounts lists who works with the offices and who asks them. They have no
// passwords and no ids: whoever makes them gives them those.
func Accounts() []archive.Account {
	var list []archive.Account
	staff := func(user, name string, role archive.Role, office string) {
		id := residentID(1980, 1, 1+len(list), 100+len(list))
		list = append(list, archive.Account{User: user, Name: name, Role: role, Office: office, IDNumber: id})
	}
	citizen := func(user string, who archive.Person) {
		list = append(list, archive.Account{User: user, Name: who.Name, Role: archive.RoleCitizen,
			IDNumber: who.ID, Assurance: archive.RealName})
	}
	staff("uploader", "顾清和", archive.RoleUploader, qingchuan)
	staff("reviewer", "许知远", archive.RoleReviewer, qingchuan)
	staff("approver", "林若山", archive.RoleApprover, qingchuan)
	staff("head", "沈既明", archive.RoleHead, qingchuan)
	staff("admin", "钟守诚", archive.RoleAdmin, qingchuan)
	staff("security", "唐慎之", archive.RoleSecurity, qingchuan)
	staff("auditor", "方正言", archive.RoleAuditor, qingchuan)
	citizen(firstCitizen, husband())
	citizen(secondCitizen, graduate())
	list = append(list, archive.Account{User: "agency", Name: "青川市住房公积金管理中心", Role: archive.RoleAgency})
	staff("uploader-linjiang", "江映雪", archive.RoleUploader, linjiang)
	staff("reviewer-linjiang", "陆怀瑾", archive.RoleReviewer, linjiang)
	staff("approver-linjiang", "秦守一", archive.RoleApprover, linjiang)
	staff("uploader-yunling", "白云生", archive.RoleUploader, yunling)
	staff("reviewer-yunling", "段若溪", archive.RoleReviewer, yunling)
	staff("approver-yunling", "杜衡", archive.RoleApprover, yunling)
	return list
}

// userOf is the account of a role in an office.
func userOf(role archive.Role, office string) string {
	for _, a := range Accounts() {
		if a.Role == role && a.Office == office {
			return a.User
		}
	}
	return ""
}

// husband is the first citizen; he and wife are in the first record.
func husband() archive.Person {
	return archive.Person{Name: "陈清舟", Role: "husband", Sex: archive.Male, Birth: day(1988, 10, 2), ID: residentID(1988, 10, 2, 17)}
}

func wife() archive.Person {
	return archive.Person{Name: "李㛃", Role: "wife", Sex: archive.Female, Birth: day(1990, 1, 1), ID: residentID(1990, 1, 1, 2)}
}

// graduate is the second citizen. One of her papers has only her former name.
func graduate() archive.Person {
	return archive.Person{Name: "周静怡", Role: "wife", Sex: archive.Female, Birth: day(1979, 6, 18), ID: residentID(1979, 6, 18, 24)}
}
