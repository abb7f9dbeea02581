package embedded_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"dangan/archive"
	"dangan/index/embedded"
)

// Searches of ten hits among 20,000 records, with planning, rights, facets and
// highlights.
func BenchmarkSearch(b *testing.B) {
	x, err := embedded.New(b.Context(), embedded.Config{Path: filepath.Join(b.TempDir(), "index")})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = x.Close() }() // the folder goes with the test
	surnames, given := []rune("王李张刘陈杨赵黄周吴"), []rune("伟芳娜敏静丽强磊军洋佩文")
	for start := 0; start < 20000; start += 2000 {
		var docs []archive.Document
		for i := start; i < start+2000; i++ {
			name := string([]rune{surnames[i%10], given[i/10%12], given[i/120%12]})
			code, err := archive.ParseRefCode(fmt.Sprintf("G179-TX·1995-D30-%05d", i))
			if err != nil {
				b.Fatal(err)
			}
			docs = append(docs, archive.Document{Version: 1, Record: archive.Record{
				ID: fmt.Sprintf("r%05d", i), RefCode: code, Office: fmt.Sprintf("o%d", i%50), Title: name + "同志退休审批表",
				Persons: []archive.Person{{Name: name}},
			}})
		}
		if err := x.Put(b.Context(), docs...); err != nil {
			b.Fatal(err)
		}
	}
	for name, text := range map[string]string{"name": "刘静佩", "pinyin": "ljp", "code": "G179-TX·1995-D30-00777", "title": "退休审批表", "nothing": "赵钱孙李", "browse": ""} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := x.Search(b.Context(), archive.Query{Text: text, Limit: 10}, all()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
