package demo

import (
	"fmt"
	"iter"
	"math/rand/v2"

	"dangan/archive"
)

// Deposit is one record on its way into the archives. The same seed and place in
// the row give the same deposit, whatever the length of the row.
type Deposit struct {
	By     string // user name of the uploader
	Key    string // idempotency key
	Record archive.Record

	seed  uint64
	shape shape
}

// shape is the form in which a record was scanned.
type shape int

const (
	loosePages  shape = iota // one to three JPEG files
	scannedPDF               // the same pages in one PDF
	typedPDF                 // a PDF with text in it
	typedAndOld              // such a PDF and a scanned page
)

// Records yields the fixed records of the demonstration, which its requests ask
// for, and after them made-up ones until there are n.
func Records(seed uint64, n int) iter.Seq[Deposit] {
	return func(yield func(Deposit) bool) {
		fixed := fixedRecords()
		for i := range n {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			d := Deposit{Key: fmt.Sprintf("demo-record-%d-%d", seed, i), seed: r.Uint64()}
			if i < len(fixed) {
				d.Record, d.shape = fixed[i], loosePages
				if i == 0 {
					d.shape = typedAndOld
				}
			} else {
				d.Record, d.shape = random(r, i), shape(r.IntN(int(typedAndOld)+1))
			}
			d.By = userOf(archive.RoleUploader, d.Record.Office)
			if !yield(d) {
				return
			}
		}
	}
}

// place is where records of a year come from and are kept.
type place struct {
	office string
	town   string
	letter string // of its fonds
}

func qingchuanPlace() place { return place{qingchuan, "青川市", "J"} }
func linjiangPlace() place  { return place{linjiang, "临江县", "L"} }

// code numbers the i-th record of the row: a code of our day, or of one of the
// first rooms, which had no classes.
func code(fonds string, kind string, year int, term archive.Retention, i int) archive.RefCode {
	volume, item := fmt.Sprintf("%03d", i/30+1), fmt.Sprintf("%04d", i+1)
	switch {
	case year < 1962:
		return archive.BuildRefCode(fonds, nil, volume, item)
	case kind == "":
		return archive.BuildRefCode(fonds, []string{"RS", fmt.Sprint(year), string(term)}, volume, item)
	}
	return archive.BuildRefCode(fonds, []string{"ZY", kind, fmt.Sprint(year), string(term)}, volume, item)
}

func random(r *rand.Rand, i int) archive.Record {
	p := qingchuanPlace()
	switch n := r.IntN(100); {
	case n < 20:
		return dossierItem(r, i)
	case n < 52:
		p = linjiangPlace()
	}
	kinds := []func(*rand.Rand, place, int) archive.Record{marriage, marriage, marriage, insurance, education, education, land, military}
	rec := pick(r, kinds)(r, p, i)
	rec.Openness = openness(r, rec.Date.Year)
	return rec
}

// openness is a mixture in which only what is old is open.
func openness(r *rand.Rand, year int) archive.Openness {
	switch n := r.IntN(10); {
	case n < 4:
		return archive.NotReviewed
	case n < 8:
		return archive.Controlled
	case year < 1975:
		return archive.Open
	}
	return archive.Postponed
}

// dates of formation have the precision of their time.
func formed(r *rand.Rand, year int) archive.Date {
	m, d := 1+r.IntN(12), 1+r.IntN(28)
	if year >= 1990 {
		return day(year, m, d)
	}
	return pick(r, []archive.Date{day(year, m, d), written(fmt.Sprintf("%d年%d月%d日", year, m, d)), written(fmt.Sprintf("%04d-%02d-%02d", year, m, d)),
		month(year, m), written(fmt.Sprint(year)), written(fmt.Sprintf("[%d]", year))})
}

// livelihood is what records about the lives of people have in common.
func livelihood(p place, category, fonds, kind string, date archive.Date, i int) archive.Record {
	r := archive.Record{
		Level: archive.LevelItem, Family: archive.Livelihood, Category: category, Office: p.office,
		Fonds: p.letter + fonds, Date: date, Retention: archive.Permanent, Openness: archive.NotReviewed,
	}
	if category == "marriage" || category == "social_insurance" {
		r.Retention = "D100"
	}
	r.RefCode = code(r.Fonds, kind, date.Year, r.Retention, i)
	return r
}
