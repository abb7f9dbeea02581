package archive

import (
	"slices"
	"strings"
	"time"
)

// Case is all that a certificate may speak of. Record is zero when none was found.
type Case struct {
	Occasion Occasion
	Request  Request
	Record   Record
	Category Category
	Office   Office
	Issued   time.Time
	Until    time.Time // zero for ever
}

// terms is what names stand for in the case. Which names there are depends on
// nothing but its occasion and category.
func (c Case) terms() terms {
	ts := terms{
		"applicant.name": same(c.Request.Name), "applicant.id": same(c.Request.IDNumber.Masked()),
		"certificate.purpose": same(c.Request.Purpose), "certificate.matter": worded(c.Category.Label),
		"office.name": worded(c.Office.Name), "office.phone": same(c.Office.Phone),
		"certificate.issued": dated(dayOf(c.Issued)), "certificate.valid_until": dated(dayOf(c.Until)),
		"request.id": same(c.Request.ID), "request.day": dated(c.Request.day(StepSubmit)),
	}
	if c.Occasion == OfNotFound {
		c.addSearches(ts)
		return ts
	}
	c.addRecord(ts)
	if c.Occasion == OfReading {
		pages := make([]terms, len(c.Request.Sources))
		for i, p := range c.Request.Sources {
			pages[i] = terms{"page.file": counted(p.File).stated(), "page.number": counted(p.Page).stated()}
		}
		ts["reading.pages"], ts["reading.day"] = listed(pages), dated(c.Request.day(StepReview)).stated()
	}
	return ts
}

func dayOf(t time.Time) Date {
	if t.IsZero() {
		return Date{}
	}
	return DateOf(t)
}

// day is that of the newest event of a step.
func (r Request) day(s Step) Date {
	for _, e := range slices.Backward(r.Events) {
		if e.Step == s {
			return DateOf(e.At)
		}
	}
	return Date{}
}

// stated is the term as something that is recorded.
func (t term) stated() term {
	t.fact = true
	return t
}

func (c Case) addRecord(ts terms) {
	r := c.Record
	for name, t := range map[string]term{"title": same(r.Title), "responsible": same(r.Responsible), "date": dated(r.Date)} {
		ts["record."+name] = t.stated()
	}
	ts["record.reference_code"], ts["record.fonds"] = same(r.RefCode.Original), same(r.Fonds)
	ts["record.day"] = dated(dayOf(r.At)).stated()
	ts["source.reference_code"], ts["source.date"] = same(r.RefCode.Original), dated(r.Date)
	ts["source.file"], ts["source.page"] = counted(0), counted(0) // each statement has its own
	for _, role := range c.Category.Roles {
		var p Person
		if i := slices.IndexFunc(r.Persons, func(p Person) bool { return p.Role == role.Code }); i >= 0 {
			p = r.Persons[i]
		}
		for name, t := range c.person(p) {
			ts[role.Code+"."+name] = t
		}
	}
	persons := make([]terms, len(r.Persons))
	for i, p := range r.Persons {
		persons[i] = terms{"person.role": worded(c.Category.RoleLabel(p.Role)).stated()}
		for name, t := range c.person(p) {
			persons[i]["person."+name] = t
		}
	}
	ts["record.persons"] = listed(persons)
	for _, f := range c.Category.Fields {
		ts[f.Key] = f.term(r.Fields[f.Key])
	}
}

func (c Case) person(p Person) terms {
	sexes := map[Sex]Label{Male: {"男", "male"}, Female: {"女", "female"}}
	return terms{
		"name": same(p.Name).stated(), "birth": dated(p.Birth).stated(), "sex": worded(sexes[p.Sex]).stated(),
		"id": same(p.ID.Masked()).stated(), "aliases": joined(p.Aliases).stated(),
	}
}

// joined is an enumeration.
func joined(list []string) term {
	return worded(Label{ZH: strings.Join(list, "、"), EN: strings.Join(list, ", ")})
}

// term is the value of a field as the category reads it. It was checked on
// deposit; an unreadable one is an empty one.
func (f Field) term(value string) term {
	value = strings.TrimSpace(value)
	t := same(value)
	switch f.Type {
	case FieldDate:
		d, _ := ParseDate(value)
		t = dated(d)
	case FieldNumber:
		t = term{kind: FieldNumber, number: value}
	case FieldOption:
		if i := slices.IndexFunc(f.Options, func(o Choice) bool { return o.Code == value }); i >= 0 {
			t = worded(f.Options[i].Label)
		}
	}
	return t.stated()
}

// addSearches adds where a record was sought that was not found.
func (c Case) addSearches(ts terms) {
	searches := make([]terms, len(c.Request.Searched))
	for i, s := range c.Request.Searched {
		searches[i] = terms{
			"search.day": dated(dayOf(s.At)).stated(), "search.place": same(s.Place).stated(), "search.fonds": joined(s.Fonds).stated(),
			"search.from": counted(s.YearFrom).stated(), "search.to": counted(s.YearTo).stated(), "search.names": joined(s.Names).stated(),
			"search.by_id": worded(Label{}).stated(),
		}
		if s.ByID {
			searches[i]["search.by_id"] = worded(Label{"公民身份号码", "identity number"}).stated()
		}
	}
	ts["request.searches"] = listed(searches)
	ts["request.found_nothing"] = dated(c.Request.day(StepNotFound)).stated()
	ts["request.reason"] = same(c.Request.Reason).stated()
}
