package archive

// Admits reports whether a record passes the filter.
func (f Filter) Admits(r Record) bool {
	return (f.Family == "" || f.Family == r.Family) &&
		(f.Category == "" || f.Category == r.Category) &&
		(f.Office == "" || f.Office == r.Office) &&
		(f.Fonds == "" || f.Fonds == r.Fonds) &&
		(f.Openness == "" || f.Openness == r.Openness) &&
		(f.YearFrom == 0 || r.Date.Year >= f.YearFrom) &&
		(f.YearTo == 0 || r.Date.Year <= f.YearTo && r.Date.Year != 0)
}
