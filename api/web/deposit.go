package web

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"dangan/api/internal/wire"
	"dangan/archive"
)

// mostPersons is how many people the deposit form has room for; more are left
// to the API.
const mostPersons = 4

// depositPage is the deposit form as it stands.
type depositPage struct {
	Key        string // of this filling-in, so that sending it twice deposits once
	Categories []archive.Category
	Category   archive.Category
	Values     url.Values
	Persons    []int
	Faults     problems
	General    []archive.Problem // faults that belong to no field of the form
}

// V is the value a field was left with.
func (d depositPage) V(field string) string { return d.Values.Get(field) }

// F are the faults of a field.
func (d depositPage) F(field string) []string { return d.Faults[field] }

// Person is the name of a field of the i-th person.
func (d depositPage) Person(i int, field string) string {
	return fmt.Sprintf("persons[%d].%s", i, field)
}

func (p *Pages) newDeposit(category string) depositPage {
	d := depositPage{Categories: p.c.Schema.Categories, Values: url.Values{}}
	d.Category, _ = p.c.Schema.Category(category)
	if d.Category.Code == "" && len(d.Categories) > 0 {
		d.Category = d.Categories[0]
	}
	for i := range mostPersons {
		d.Persons = append(d.Persons, i)
	}
	return d
}

func (p *Pages) depositForm(c *gin.Context) error {
	d := p.newDeposit(c.Query("category"))
	d.Key = newKey()
	for i, role := range d.Category.Roles {
		if i < 2 && i < mostPersons {
			d.Values.Set(d.Person(i, "role"), role.Code)
		}
	}
	return p.show(c, http.StatusOK, "deposit", d)
}

func (p *Pages) deposit(c *gin.Context) error {
	c.Request.Body = io.NopCloser(wire.Patient(c.Writer, c.Request.Body))
	parts, err := c.Request.MultipartReader()
	if err != nil {
		return fmt.Errorf("deposit: %w: %w", wire.ErrMalformed, err)
	}
	values, first, err := formValues(parts)
	if err != nil {
		return err
	}
	d := p.newDeposit(values.Get("category"))
	d.Values, d.Key = values, values.Get("key")
	view, err := p.c.Holdings.Deposit(c.Request.Context(), actor(c), d.Key, d.record(actor(c)), wire.Files(parts, first))
	if err == nil {
		c.Redirect(http.StatusSeeOther, "/records/"+view.ID+"?notice=deposited")
		return nil
	}
	wire.Drain(c.Request.Body)
	var ps archive.Problems
	switch {
	case errors.As(err, &ps):
	case errors.Is(err, archive.ErrExists):
		ps = archive.Problems{{Code: "exists", Field: "reference_code"}}
	default:
		return err
	}
	d.fault(ps)
	return p.show(c, http.StatusUnprocessableEntity, "deposit", d)
}

// fault sorts problems to the fields of the form.
func (d *depositPage) fault(ps archive.Problems) {
	d.Key = newKey() // what is sent next is another deposit
	d.Faults = byField(ps)
	for _, p := range ps {
		if !d.has(p.Field) {
			d.General = append(d.General, p)
		}
	}
}

func (d *depositPage) has(field string) bool {
	if key, ok := strings.CutPrefix(field, "fields."); ok {
		return slices.ContainsFunc(d.Category.Fields, func(f archive.Field) bool { return f.Key == key })
	}
	if strings.HasPrefix(field, "persons[") {
		return true
	}
	return slices.Contains([]string{"category", "persons", "reference_code", "title", "responsible", "date", "retention", "secrecy", "openness", "note"}, field)
}

// record is the description that the form holds. A person without any entry is
// not meant.
func (d *depositPage) record(a archive.Actor) archive.Record {
	v := func(field string) string { return strings.TrimSpace(d.Values.Get(field)) }
	r := archive.Record{
		Category: v("category"), Office: a.Office, Title: v("title"), Responsible: v("responsible"), Note: v("note"),
		Retention: archive.Retention(v("retention")), Secrecy: archive.Secrecy(v("secrecy")), Openness: archive.Openness(v("openness")),
		RefCode: refCode(v("reference_code")), Date: date(v("date")), Fields: map[string]string{},
	}
	for _, f := range d.Category.Fields {
		if text := v("fields." + f.Key); text != "" {
			r.Fields[f.Key] = text
		}
	}
	compact := url.Values{}
	for i := range mostPersons {
		pv := func(field string) string { return v(d.Person(i, field)) }
		if pv("name") == "" && pv("id") == "" && pv("birth") == "" {
			continue
		}
		for _, field := range []string{"name", "aliases", "role", "sex", "birth", "id"} {
			compact.Set(d.Person(len(r.Persons), field), pv(field))
		}
		r.Persons = append(r.Persons, archive.Person{
			Name: pv("name"), Aliases: split(pv("aliases")), Role: pv("role"), Sex: archive.Sex(pv("sex")),
			Birth: date(pv("birth")), ID: archive.NewIDNumber("", pv("id")),
		})
	}
	d.movePersons(compact)
	return r
}

// movePersons closes the gaps between persons, so that the fault of persons[1]
// is shown where persons[1] is.
func (d *depositPage) movePersons(compact url.Values) {
	for key := range d.Values {
		if strings.HasPrefix(key, "persons[") {
			d.Values.Del(key)
		}
	}
	for key, value := range compact {
		d.Values[key] = value
	}
}

func split(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;、，；　", r) })
}

func date(text string) archive.Date {
	d, err := archive.ParseDate(text)
	if err != nil {
		return archive.Date{Original: text} // validation names the field
	}
	return d
}

func refCode(text string) archive.RefCode {
	code, err := archive.ParseRefCode(text)
	if err != nil {
		return archive.RefCode{Original: text}
	}
	return code
}

// formValues reads the fields of a multipart form up to its first file, which
// is left unread.
func formValues(parts *multipart.Reader) (url.Values, *multipart.Part, error) {
	const most = 1 << 20
	values, left := url.Values{}, int64(most)
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return values, nil, nil
		}
		if err != nil {
			return nil, nil, wire.ReadError(err)
		}
		if part.FormName() == "file" {
			return values, part, nil
		}
		raw, err := io.ReadAll(io.LimitReader(part, left+1))
		if err != nil {
			return nil, nil, wire.ReadError(err)
		}
		if left -= int64(len(raw)); left < 0 {
			return nil, nil, &http.MaxBytesError{Limit: most}
		}
		values.Add(part.FormName(), string(raw))
	}
}
