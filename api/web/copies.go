package web

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"dangan/api/internal/wire"
	"dangan/archive"
	"dangan/archive/policy"
)

// copyPage is the files of a record, from which pages are chosen for a copy.
type copyPage struct {
	V      archive.Version[archive.Request]
	Files  []archive.FileChoice
	Chosen []archive.CopyPage
	Open   bool // pages may still be chosen
	Values map[int]string
	Faults problems
}

// strip is how many pages of a file are shown in small.
const strip = 60

// Strip lists the pages of a file that are shown in small.
func (c copyPage) Strip(f archive.FileChoice) []int {
	pages := make([]int, min(f.Pages, strip))
	for i := range pages {
		pages[i] = i + 1
	}
	return pages
}

// On is the place of a page in the copy, from 1; 0 when it is not chosen.
func (c copyPage) On(file, page int) int {
	return 1 + slices.IndexFunc(c.Chosen, func(p archive.CopyPage) bool { return p.File == file && p.Page == page })
}

// newCopyPage reads the request and what may be chosen for it.
func (p *Pages) newCopyPage(c *gin.Context) (copyPage, error) {
	id, err := recordID(c)
	if err != nil {
		return copyPage{}, err
	}
	a := actor(c)
	v, record, err := p.c.Choices.Choice(c.Request.Context(), a, id)
	if err != nil {
		return copyPage{}, hidden(err)
	}
	page := copyPage{V: v, Files: record.Choices(), Values: map[int]string{}}
	if v.Value.Copy != nil {
		page.Chosen = v.Value.Copy.Pages
	}
	for _, f := range page.Files {
		page.Values[f.File] = pageList(page.Chosen, f.File)
	}
	steps := archive.Steps(v.Value, func(act archive.Action) bool { return policy.Decide(a, act, v.Value.Target()).Allowed })
	page.Open = slices.Contains(steps, archive.StepChoose)
	return page, nil
}

func (p *Pages) copy(c *gin.Context) error {
	page, err := p.newCopyPage(c)
	if err != nil {
		return err
	}
	return p.show(c, http.StatusOK, "copy", page)
}

// choosePages takes the numbers of pages of each file. Pages that stay keep what
// is blacked out on them.
func (p *Pages) choosePages(c *gin.Context) error {
	page, err := p.newCopyPage(c)
	if err != nil {
		return err
	}
	var chosen []archive.CopyPage
	var ps archive.Problems
	for _, f := range page.Files {
		field := fmt.Sprintf("file-%d", f.File)
		page.Values[f.File] = c.PostForm(field)
		numbers, err := parsePages(c.PostForm(field))
		if err != nil {
			ps.Add("bad_value", field)
		}
		for _, n := range numbers {
			next := archive.CopyPage{PageRef: archive.PageRef{File: f.File, Page: n}}
			if at := page.On(f.File, n); at > 0 {
				next = page.Chosen[at-1]
			}
			chosen = append(chosen, next)
		}
	}
	if err := ps.Err(); err != nil {
		page.Faults = byField(ps)
		return p.show(c, http.StatusUnprocessableEntity, "copy", page)
	}
	fault, err := p.choose(c, page.V.Value.ID, chosen)
	if fault != nil {
		page.Faults = fault
		return p.show(c, http.StatusUnprocessableEntity, "copy", page)
	}
	return err
}

// choose takes the step and goes back to where the form was; what is wrong with
// the pages is told apart from other failures.
func (p *Pages) choose(c *gin.Context, id string, pages []archive.CopyPage) (problems, error) {
	_, err := p.c.Desk.Move(c.Request.Context(), actor(c), id, whole(c.PostForm("version")), archive.Move{Step: archive.StepChoose, Pages: pages})
	var ps archive.Problems
	notice := "chosen"
	switch {
	case errors.As(err, &ps):
		return byField(ps), nil
	case errors.Is(err, archive.ErrConflict):
		notice = "changed"
	case err != nil:
		return nil, err
	}
	c.Redirect(http.StatusSeeOther, c.Request.URL.Path+"?notice="+notice)
	return nil, nil
}

// pageList writes the chosen pages of a file as people do: "1-3, 5".
func pageList(pages []archive.CopyPage, file int) string {
	var parts []string
	for _, run := range (archive.Copy{Pages: pages}).Runs() {
		if run.File == file {
			parts = append(parts, strings.ReplaceAll(archive.Span(run.Page, run.Pages), "–", "-"))
		}
	}
	return strings.Join(parts, ", ")
}

// parsePages reads "1-3, 5" with any of the dashes that people type.
func parsePages(text string) ([]int, error) {
	const most = 2000 // in one list; the copy itself takes fewer
	var list []int
	for _, part := range split(strings.NewReplacer("–", "-", "—", "-", "－", "-", "~", "-", "～", "-").Replace(text)) {
		from, to, ranged := strings.Cut(part, "-")
		if !ranged {
			to = from
		}
		first, errFirst := strconv.Atoi(strings.TrimSpace(from))
		last, errLast := strconv.Atoi(strings.TrimSpace(to))
		if errFirst != nil || errLast != nil || first < 1 || last < first || last-first >= most || len(list) >= most {
			return nil, archive.ErrInvalid
		}
		for n := first; n <= last; n++ {
			list = append(list, n)
		}
	}
	return list, nil
}

// maskPage is one page of a file with the boxes that are blacked out on it.
type maskPage struct {
	copyPage
	File     archive.FileChoice
	Page     int
	Previous int
	Next     int
	Rows     []maskRow
	Reasons  []archive.Choice
}

// maskRow is a box as the form has it: its place in percent of the page.
type maskRow struct{ X, Y, Width, Height, Reason string }

// Filled reports whether anything is in the row.
func (r maskRow) Filled() bool { return r.X+r.Y+r.Width+r.Height != "" }

// blankRows are left for further boxes.
const blankRows = 4

func (p *Pages) newMaskPage(c *gin.Context) (maskPage, error) {
	all, err := p.newCopyPage(c)
	if err != nil {
		return maskPage{}, err
	}
	n, page := whole(c.Param("n")), whole(c.Param("p"))
	if n < 1 || n > len(all.Files) || all.Files[n-1].Refused != "" || page < 1 || page > all.Files[n-1].Pages {
		return maskPage{}, archive.ErrNotFound
	}
	m := maskPage{copyPage: all, File: all.Files[n-1], Page: page, Previous: page - 1, Reasons: archive.MaskReasons()}
	if page < m.File.Pages {
		m.Next = page + 1
	}
	if at := all.On(n, page); at > 0 {
		for _, b := range all.Chosen[at-1].Masks {
			m.Rows = append(m.Rows, maskRow{percent(b.X), percent(b.Y), percent(b.Width), percent(b.Height), string(b.Reason)})
		}
	}
	return m, nil
}

func (p *Pages) maskForm(c *gin.Context) error {
	m, err := p.newMaskPage(c)
	if err != nil {
		return err
	}
	return p.showMask(c, http.StatusOK, m)
}

func (p *Pages) showMask(c *gin.Context, status int, m maskPage) error {
	m.Rows = append(m.Rows, make([]maskRow, blankRows)...)
	return p.show(c, status, "copy_mask", m)
}

// mask notes the boxes of a page, which becomes part of the copy if it was not.
func (p *Pages) mask(c *gin.Context) error {
	m, err := p.newMaskPage(c)
	if err != nil {
		return err
	}
	next := archive.CopyPage{PageRef: archive.PageRef{File: m.File.File, Page: m.Page}}
	m.Rows = maskRows(c)
	for _, row := range m.Rows {
		next.Masks = append(next.Masks, archive.Box{X: fraction(row.X), Y: fraction(row.Y),
			Width: fraction(row.Width), Height: fraction(row.Height), Reason: archive.MaskReason(row.Reason)})
	}
	fault, err := p.choose(c, m.V.Value.ID, withPage(m.Chosen, next))
	if fault != nil {
		m.Faults = fault
		return p.showMask(c, http.StatusUnprocessableEntity, m)
	}
	return err
}

// maskRows reads the rows of the form that are filled in.
func maskRows(c *gin.Context) []maskRow {
	const most = 200
	at := func(field string, i int) string {
		if list := c.PostFormArray(field); i < len(list) {
			return strings.TrimSpace(list[i])
		}
		return ""
	}
	var rows []maskRow
	for i := range min(len(c.PostFormArray("x")), most) {
		row := maskRow{at("x", i), at("y", i), at("width", i), at("height", i), at("reason", i)}
		if row.Filled() {
			rows = append(rows, row)
		}
	}
	return rows
}

// withPage puts a page in its place, or where it belongs in the order of files.
func withPage(pages []archive.CopyPage, next archive.CopyPage) []archive.CopyPage {
	order := func(p archive.CopyPage) int {
		return cmp.Or(cmp.Compare(p.File, next.File), cmp.Compare(p.Page, next.Page))
	}
	if i := slices.IndexFunc(pages, func(p archive.CopyPage) bool { return order(p) == 0 }); i >= 0 {
		pages = slices.Clone(pages)
		pages[i] = next
		return pages
	}
	i := slices.IndexFunc(pages, func(p archive.CopyPage) bool { return order(p) > 0 })
	if i < 0 {
		i = len(pages)
	}
	return slices.Insert(slices.Clone(pages), i, next)
}

// fraction reads a percentage; what is none is outside every page.
func fraction(text string) float64 {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return -1
	}
	return f / 100
}

func percent(f float64) string { return strconv.FormatFloat(f*100, 'g', 12, 64) }

// copyImage is a page as it is chosen and masked.
func (p *Pages) copyImage(c *gin.Context) error {
	id, err := recordID(c)
	if err != nil {
		return err
	}
	ctx, a, width := c.Request.Context(), actor(c), 1000
	if c.Query("small") != "" {
		width = 200
	}
	v, err := p.c.Desk.Request(ctx, a, id)
	if err != nil {
		return hidden(err)
	}
	if v.Value.Record == "" || v.Value.State.Closed() { // there is no purpose left to look
		return archive.ErrNotFound
	}
	image, err := p.c.Files.Page(ctx, a, archive.Purpose{Code: archive.ForRequest, Case: id}, v.Value.Record, whole(c.Param("n")), whole(c.Param("p")), width)
	if err != nil {
		return hidden(err)
	}
	c.Data(http.StatusOK, "image/png", image)
	return nil
}

// copyDraft is the copy as it would be issued.
func (p *Pages) copyDraft(c *gin.Context) error {
	id, err := recordID(c)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	return hidden(wire.Stream(c.Writer, wire.Served{Name: id + ".pdf", MediaType: "application/pdf"}, func(w io.Writer) error {
		return p.c.Drafts.Draft(ctx, actor(c), id, w)
	}))
}
