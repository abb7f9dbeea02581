package lookup

import (
	"slices"

	"dangan/archive"
)

// finding is a record that answers, with the number of the entry that was read.
type finding struct {
	record archive.Record
	entry  int
	source archive.Source
}

// say tells of the records what may be told for a purpose.
func say(found []finding, p archive.PurposeCode) archive.Answer {
	answer := archive.Answer{Exists: len(found) > 0}
	months := map[int]bool{}
	for _, f := range found {
		rec := f.record
		if !rec.Date.IsZero() {
			answer.Years = append(answer.Years, rec.Date.Year)
		}
		answer.Offices = append(answer.Offices, rec.Office)
		said := archive.Cited{Category: rec.Category, Office: rec.Office, RefCode: rec.RefCode.String(), Entry: f.entry, Date: rec.Date, Fields: f.shown(p)}
		answer.Found = append(answer.Found, said)
		cover(f.source, said.Fields, months)
	}
	answer.Years, answer.Offices, answer.Months = distinct(answer.Years), distinct(answer.Offices), len(months)
	return answer
}

// shown is the fields that have a value and may be shown.
func (f finding) shown(p archive.PurposeCode) map[string]string {
	fields := map[string]string{}
	for _, key := range f.source.Fields(p) {
		if value := f.record.Fields[key]; value != "" {
			fields[key] = value
		}
	}
	return fields
}

// bears reports whether the record says anything: where a period answers, one without any
// is not even named.
func (f finding) bears(p archive.PurposeCode) bool {
	fields := f.shown(p)
	return f.source.From == "" || fields[f.source.From] != "" || fields[f.source.To] != ""
}

// once keeps a record of each office: which others there are says more than that
// something is held.
func once(found []finding) []finding {
	seen := map[string]bool{}
	return slices.DeleteFunc(found, func(f finding) bool {
		again := seen[f.record.Office]
		seen[f.record.Office] = true
		return again
	})
}

// cover notes the calendar months, from year 0, of a period that is shown. A year alone
// is not guessed to begin in January.
func cover(s archive.Source, fields map[string]string, months map[int]bool) {
	from, err := archive.ParseDate(fields[s.From])
	to, errTo := archive.ParseDate(fields[s.To])
	if err != nil || errTo != nil || from.Month == 0 || to.Month == 0 {
		return
	}
	for m := from.Year*12 + from.Month; m <= to.Year*12+to.Month; m++ {
		months[m] = true
	}
}

// latest leaves the records out that another is certainly later than. Of two that may
// be of one day, both stay: a person will see both.
func latest(found []finding) []finding {
	return slices.DeleteFunc(slices.Clone(found), func(f finding) bool {
		return slices.ContainsFunc(found, func(g finding) bool { return before(f.record.Date, g.record.Date) })
	})
}

// before reports whether a is certainly before b, however little is known of either.
func before(a, b archive.Date) bool {
	for _, part := range [][2]int{{a.Year, b.Year}, {a.Month, b.Month}, {a.Day, b.Day}} {
		switch {
		case part[0] == 0 || part[1] == 0:
			return false
		case part[0] != part[1]:
			return part[0] < part[1]
		}
	}
	return false
}

func distinct[T int | string](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}
