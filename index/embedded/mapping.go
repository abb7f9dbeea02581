package embedded

import (
	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/custom"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/keyword"
	"github.com/blevesearch/bleve/v2/analysis/lang/cjk"
	"github.com/blevesearch/bleve/v2/analysis/tokenizer/whitespace"
	"github.com/blevesearch/bleve/v2/mapping"

	"dangan/index/plan"
)

const (
	singles  = "singles"  // analyzer: what stands between blanks, for title_ng
	source   = "source"   // stored field: what is shown, as JSON
	presence = "presence" // key field with the one value "record"
)

// newMapping lists every field; what is not in it is not indexed.
func newMapping() (*mapping.IndexMappingImpl, error) {
	m := bleve.NewIndexMapping()
	err := m.AddCustomAnalyzer(singles, map[string]any{"type": custom.Name, "tokenizer": whitespace.Name})
	if err != nil {
		return nil, err
	}
	doc := bleve.NewDocumentStaticMapping()
	for _, f := range []string{plan.FieldID, plan.FieldNameKey, plan.FieldNameLike, plan.FieldToken, presence} {
		doc.AddFieldMappingsAt(f, key(false))
	}
	for _, f := range append(plan.Facets(), plan.FieldRefKey, plan.FieldCalled, "date") {
		doc.AddFieldMappingsAt(f, key(true))
	}
	doc.AddFieldMappingsAt("title_ng", text(singles, true))
	doc.AddFieldMappingsAt("title_key", text(cjk.AnalyzerName, false))
	doc.AddFieldMappingsAt("text", text(cjk.AnalyzerName, false))
	year := bleve.NewNumericFieldMapping()
	year.Store, year.IncludeInAll, year.DocValues = false, false, false
	doc.AddFieldMappingsAt("year", year)
	shown := bleve.NewTextFieldMapping()
	shown.Index, shown.IncludeInAll, shown.DocValues, shown.IncludeTermVectors = false, false, false, false
	doc.AddFieldMappingsAt(source, shown)
	m.DefaultMapping = doc
	return m, nil
}

// key is a field compared as a whole; values are kept by document where it is
// counted or sorted by.
func key(values bool) *mapping.FieldMapping {
	f := text(keyword.Name, false)
	f.DocValues, f.SkipFreqNorm = values, true
	return f
}

func text(analyzer string, phrases bool) *mapping.FieldMapping {
	f := bleve.NewTextFieldMapping()
	f.Analyzer = analyzer
	f.Store, f.IncludeInAll, f.DocValues, f.IncludeTermVectors = false, false, false, phrases
	return f
}

func fields(d plan.Document, shown string) map[string]any {
	m := map[string]any{
		plan.FieldID: d.ID, plan.FieldNameKey: d.NameKey, plan.FieldNameLike: d.NameLike,
		plan.FieldToken: d.Tokens, plan.FieldRefKey: d.RefKey, plan.FieldCalled: d.Called,
		"title_ng": d.TitleNG, "title_key": d.TitleKey, "text": d.Text,
		"family": d.Family, "category": d.Category, "office": d.Office, "fonds": d.Fonds,
		"openness": d.Openness, source: shown, presence: "record",
	}
	if d.Date != "" {
		m["date"] = d.Date
	}
	if d.Year != 0 {
		m["year"] = float64(d.Year)
	}
	return m
}
