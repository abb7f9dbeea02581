package stamp

import (
	"fmt"
	"strings"
)

// element is a node of the logical structure (ISO 32000-1, 14.7): what a screen reader follows. Roles are the
// standard ones of 14.8.4.
type element struct {
	role    string
	entries string // further ones of its dictionary: attributes, or what is read in the place of a picture
	kids    []*element
	page    ref
	mcid    int // of the content it marks on its page, unless it has kids or an object
	widget  ref // an annotation in the place of content
}

// structure is the logical order of a document while its pages are drawn.
type structure struct {
	open  []*element // from the document down
	pages [][]*element
	forms []*element
}

func newStructure() *structure {
	return &structure{open: []*element{{role: "Document"}}}
}

func (s *structure) add(e *element) {
	parent := s.open[len(s.open)-1]
	parent.kids = append(parent.kids, e)
}

// group has what draw adds stand under one node.
func (s *structure) group(role string, draw func()) {
	e := &element{role: role}
	s.add(e)
	s.open = append(s.open, e)
	draw()
	s.open = s.open[:len(s.open)-1]
}

// formKeys is where the keys of widgets begin in the parent tree, behind those of pages.
const formKeys = maxPages + maxCopyPages

// newPage begins a page: marks are numbered on each anew.
func (s *structure) newPage() { s.pages = append(s.pages, nil) }

// mark adds a node for content of the current page, and returns its number there.
func (s *structure) mark(role, entries string, page ref) int {
	marks := &s.pages[len(s.pages)-1]
	e := &element{role: role, entries: entries, page: page, mcid: len(*marks)}
	*marks = append(*marks, e)
	s.add(e)
	return e.mcid
}

// annotate adds a node for a widget and returns its key in the parent tree, in which the pages come first.
func (s *structure) annotate(words string, page, widget ref) int {
	e := &element{role: "Form", entries: alt(words), page: page, widget: widget}
	s.forms = append(s.forms, e)
	s.add(e)
	return formKeys + len(s.forms) - 1
}

// write puts the tree into the file and returns its root.
func (s *structure) write(d *document) ref {
	root, parents := d.reserve(), map[*element]ref{}
	top := s.writeElement(d, s.open[0], root, parents)
	refs := func(list []*element) string {
		var b strings.Builder
		for _, e := range list {
			b.WriteString(parents[e].String() + " ")
		}
		return b.String()
	}
	var numbers strings.Builder
	for i, marks := range s.pages {
		fmt.Fprintf(&numbers, "%d[%s]", i, refs(marks))
	}
	for i, e := range s.forms {
		fmt.Fprintf(&numbers, "%d %s ", formKeys+i, parents[e])
	}
	d.put(root, fmt.Sprintf("<</Type/StructTreeRoot/K %s/ParentTreeNextKey %d/ParentTree<</Nums[%s]>>>>",
		top, formKeys+len(s.forms), numbers.String()))
	return root
}

func (s *structure) writeElement(d *document, e *element, parent ref, written map[*element]ref) ref {
	r := d.reserve()
	written[e] = r
	var kids strings.Builder
	for _, kid := range e.kids {
		kids.WriteString(s.writeElement(d, kid, r, written).String() + " ")
	}
	entries, content := e.entries, fmt.Sprintf("[%s]", kids.String())
	switch {
	case e.widget != 0:
		content = fmt.Sprintf("<</Type/OBJR/Obj %s>>", e.widget)
	case e.page != 0:
		content = fmt.Sprint(e.mcid)
	}
	if e.page != 0 {
		entries += fmt.Sprintf("/Pg %s", e.page)
	}
	d.put(r, fmt.Sprintf("<</S/%s/P %s%s/K %s>>", e.role, parent, entries, content))
	return r
}

// alt is the entry for what is read in the place of a picture.
func alt(words string) string { return "/Alt " + textString(words) }

// tag has what draw draws be read as a node of the given role; on a canvas without structure, such as a form,
// nothing is marked.
func (c *canvas) tag(role, entries string, draw func()) {
	if c.structure == nil || c.marked {
		draw()
		return
	}
	fmt.Fprintf(&c.buf, "/%s<</MCID %d>>BDC\n", role, c.structure.mark(role, entries, c.page))
	c.within(draw)
}

// artifact has what draw draws be passed over: rules, frames, what repeats on every page.
func (c *canvas) artifact(draw func()) {
	if c.structure == nil || c.marked {
		draw()
		return
	}
	c.buf.WriteString("/Artifact BMC\n")
	c.within(draw)
}

func (c *canvas) within(draw func()) {
	c.marked = true
	draw()
	c.marked = false
	c.op("EMC")
}

// group is structure.group for a canvas that may have none.
func (c *canvas) group(role string, draw func()) {
	if c.structure == nil {
		draw()
		return
	}
	c.structure.group(role, draw)
}
