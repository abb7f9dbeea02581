package indextest

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"

	"dangan/archive"
)

// Population is any number of made-up records with people in them. Each record
// depends on the seed and its number alone, so that nothing is kept in memory and
// any record can be made again to ask for it. No id number is in it.
type Population struct {
	seed   uint64
	size   int
	names  *names
	titles []string
}

// NewPopulation describes so many records. The same seed gives the same records.
func NewPopulation(seed uint64, size int) (*Population, error) {
	n, err := newNames()
	if err != nil {
		return nil, fmt.Errorf("population: %w", err)
	}
	titles, err := table("titles")
	if err != nil {
		return nil, fmt.Errorf("population: %w", err)
	}
	p := &Population{seed: seed, size: size, names: n}
	for _, t := range titles {
		p.titles = append(p.titles, t[0])
	}
	return p, nil
}

// Documents yields all records in the order of their numbers.
func (p *Population) Documents() iter.Seq[archive.Document] {
	return func(yield func(archive.Document) bool) {
		for i := range p.size {
			if !yield(p.specimen(i).doc) {
				return
			}
		}
	}
}

// specimen is a record and who is in it: its persons, and perhaps somebody who is
// only named in its title.
type specimen struct {
	doc     archive.Document
	persons []human
	passing human
}

func (p *Population) specimen(i int) specimen {
	r := rand.New(rand.NewPCG(p.seed, uint64(i)))
	s := specimen{persons: []human{p.names.human(r)}}
	title := pick(r, p.titles)
	second := p.names.human(r)
	switch inner, passing := strings.CutPrefix(title, "("); {
	case passing:
		title, s.passing = strings.TrimSuffix(inner, ")"), second
		if r.IntN(2) == 0 {
			s.passing = p.names.glued(r)
		}
		second = s.passing
	case strings.Contains(title, "&") || r.IntN(10) == 0:
		s.persons = append(s.persons, second)
	}
	s.doc = p.document(r, i, strings.NewReplacer("%", s.persons[0].name, "&", second.name).Replace(title))
	for _, h := range s.persons {
		name := h.name
		if r.IntN(100) == 0 {
			name = p.names.old.Replace(name)
		}
		s.doc.Record.Persons = append(s.doc.Record.Persons, archive.Person{Name: name})
	}
	return s
}

func (p *Population) document(r *rand.Rand, i int, title string) archive.Document {
	year := 1950 + r.IntN(70)
	fonds := fmt.Sprintf("%c%03d", "GAJZ"[i%4], i%300)
	written := fmt.Sprintf("%s-TX·%d-D30-RSC-%06d", fonds, year, i)
	if r.IntN(20) == 0 { // of before the standard: no class
		written = fmt.Sprintf("%s-%03d-%03d-%06d", fonds, r.IntN(1000), r.IntN(1000), i)
	}
	code, codeErr := archive.ParseRefCode(written)
	date, dateErr := archive.ParseDate(fmt.Sprintf("%d%02d%02d", year, 1+r.IntN(12), 1+r.IntN(28)))
	if codeErr != nil || dateErr != nil {
		panic("the pattern of made-up codes or dates is no such") // a mistake of this file
	}
	family := pick(r, []archive.Family{archive.Personnel, archive.Livelihood})
	return archive.Document{
		Version: 1,
		Persons: []string{token(fmt.Sprintf("%d/%d", p.seed, i))},
		Text:    fmt.Sprintf("证明人%s，%d年在第%d车间工作。", p.names.human(r).name, year, r.IntN(50)),
		Record: archive.Record{
			ID: fmt.Sprintf("01JR%022d", i), RefCode: code, Fonds: fonds, Date: date, Title: title,
			Family: family, Category: "dossier_item", Office: fmt.Sprintf("o%d", i%200),
			Openness: pick(r, []archive.Openness{archive.Open, archive.Open, archive.Controlled}),
		},
	}
}
