package demo

import "dangan/archive"

// story is a request and what becomes of it.
type story struct {
	key     string // idempotency key
	citizen string // user name
	request archive.Request
	record  int                // a place in the row, or noRecord
	pages   []archive.CopyPage // of a copy
	steps   []archive.Step
	note    string // given with the steps that want one
	end     ending
}

// ending is what becomes of the certificate of a request.
type ending int

const (
	stands ending = iota
	revoked
	superseded // by the next story's
)

// stories leave a request in every state a request can rest in. The first one's
// certificate is the sample.
func stories() []story {
	match := []archive.Step{archive.StepMatch}
	review := []archive.Step{archive.StepMatch, archive.StepReview}
	issue := []archive.Step{archive.StepMatch, archive.StepReview, archive.StepApprove}
	choose := []archive.Step{archive.StepMatch, archive.StepChoose}
	issueCopy := []archive.Step{archive.StepMatch, archive.StepChoose, archive.StepReview, archive.StepApprove}
	one, two := husband(), graduate()
	couple := wanted("marriage", 2009, 2011, "青川市民政局", as(one, "husband"), named("李㛃", "wife"))
	pupil := wanted("education", 2003, 2006, "青川市第一中学", as(one, "student"))
	worker := wanted("social_insurance", 2009, 2010, "", as(one, "insured"))
	bride := wanted("marriage", 1998, 2000, "临江县民政局", as(two, "wife"), named("马国强", "husband"))
	student := wanted("education", 1997, 2000, "", archive.Person{Name: "周小妹", Aliases: []string{"周静怡"}, Role: "student"})
	farmer := wanted("land", 1983, 1990, "", as(one, "member"))

	asks := func(key string, w archive.Wanted, purpose string) story {
		return story{key: "demo-request-" + key, citizen: firstCitizen, record: noRecord,
			request: archive.Request{Office: qingchuan, Wanted: w, Purpose: purpose, Language: "zh-CN"}}
	}
	asksLinjiang := func(key string, w archive.Wanted, purpose string) story {
		s := asks(key, w, purpose)
		s.citizen, s.request.Office = secondCitizen, linjiang
		return s
	}
	goes := func(s story, record int, steps ...archive.Step) story { s.record, s.steps = record, steps; return s }
	because := func(s story, note string) story { s.note = note; return s }
	ends := func(s story, e ending) story { s.end = e; return s }
	copies := func(s story, pages ...archive.CopyPage) story {
		s.request.Service, s.pages = archive.ServiceCopy, pages
		return s
	}
	inEnglish := func(s story) story { s.request.Language = "en"; return s }

	return []story{
		goes(asks("issued", couple, "办理住房公积金贷款"), ofMarriage, issue...),
		ends(goes(asks("revoked", pupil, "报考职称"), ofSchool, issue...), revoked),
		ends(goes(asksLinjiang("superseded", bride, "办理房产登记"), ofSecondMarriage, issue...), superseded),
		goes(asksLinjiang("successor", bride, "办理不动产转移登记"), ofSecondMarriage, issue...),
		inEnglish(goes(asksLinjiang("english", student, "出国留学"), ofCollege, issue...)),
		goes(asks("reviewed", worker, "核定养老保险待遇"), ofInsurance, review...),
		goes(asks("matched", couple, "子女入学"), ofMarriage, match...),
		asks("submitted", pupil, "补办毕业证明书"),
		because(goes(asks("supplement", farmer, "办理土地确权"), noRecord, archive.StepAsk), "请补充承包方代表姓名和所在村组。"),
		because(goes(asksLinjiang("refused", wanted("marriage", 1995, 2000, "", as(two, "wife")), "查询他人婚姻状况"), noRecord, archive.StepReject), "查询目的与本人权益无关，不予提供。"),
		because(goes(asks("none", wanted("military", 2006, 2008, "", as(one, "soldier")), "落实优待政策"), noRecord, archive.StepNotFound, archive.StepApprove), "经查，馆藏2006至2008年兵役档案中无申请人记载。"),
		because(goes(asksLinjiang("none-reviewed", wanted("land", 1999, 2003, "", as(two, "member")), "办理宅基地登记"), noRecord, archive.StepNotFound), "经查，馆藏土地承包档案中无申请人记载。"),
		goes(asks("withdrawn", couple, "办理户口迁移"), noRecord, archive.StepWithdraw),
		goes(copies(asks("copy", couple, "办理公证"), registrationForm()), ofMarriage, issueCopy...),
		goes(copies(asks("copy-chosen", pupil, "报名考试"), page(1)), ofSchool, choose...),
	}
}

func page(file int, masks ...archive.Box) archive.CopyPage {
	return archive.CopyPage{PageRef: archive.PageRef{File: file, Page: 1}, Masks: masks}
}

// registrationForm is the page of the couple's registration, without her number and
// address.
func registrationForm() archive.CopyPage {
	row := func(y float64) archive.Box {
		return archive.Box{X: 0.29, Y: y, Width: 0.61, Height: 0.036, Reason: archive.MaskThirdParty}
	}
	return page(2, row(0.316), row(0.752))
}

func wanted(category string, from, to int, place string, persons ...archive.Person) archive.Wanted {
	return archive.Wanted{Category: category, YearFrom: from, YearTo: to, Place: place, Persons: persons}
}

// named is somebody of whom the applicant knows no more than the name.
func named(name, role string) archive.Person { return archive.Person{Name: name, Role: role} }

// user is who takes a step.
func (s story) user(step archive.Step) string {
	switch step {
	case archive.StepWithdraw:
		return s.citizen
	case archive.StepApprove:
		return userOf(archive.RoleApprover, s.request.Office)
	}
	return userOf(archive.RoleReviewer, s.request.Office)
}
