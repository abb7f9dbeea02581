// Package indextest is what every search engine of the archive must pass: the
// contract of the port, and relevance as plain-text scripts.
//
// It owns the promises and the sample records. It must not know how an engine
// keeps them.
package indextest

import (
	"context"
	"fmt"
	"testing"

	"dangan/archive"
)

// Index is what the rooms use of an engine, with what operating it takes.
type Index interface {
	Put(ctx context.Context, docs ...archive.Document) error
	Delete(ctx context.Context, id string) error
	Search(ctx context.Context, q archive.Query, s archive.Scope) (archive.Hits, error)
	Count(ctx context.Context) (int, error)
	Ready(ctx context.Context) error
	Filled(ctx context.Context) (bool, error)
	MarkFilled(ctx context.Context) error
}

// everything admits every record.
func everything() archive.Scope { return archive.Scope{Clauses: []archive.Clause{{}}} }

// doc is a plain record; tests change what they are about.
func doc(id string, version int, title string, names ...string) archive.Document {
	date, _ := archive.ParseDate("19950301")
	code, _ := archive.ParseRefCode("G179-TX·1995·D30-" + id)
	r := archive.Record{
		ID: id, Family: archive.Personnel, Category: "dossier_item", Office: "qc", Fonds: "G179",
		RefCode: code, Title: title, Responsible: "青川市纺织厂", Date: date, Openness: archive.Controlled,
	}
	for _, n := range names {
		r.Persons = append(r.Persons, archive.Person{Name: n, Role: "subject"})
	}
	return archive.Document{Record: r, Version: version}
}

func put(t *testing.T, x Index, docs ...archive.Document) {
	t.Helper()
	if err := x.Put(t.Context(), docs...); err != nil {
		t.Fatalf("put: %v", err)
	}
}

func search(t *testing.T, x Index, q archive.Query) archive.Hits {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	hits, err := x.Search(t.Context(), q, everything())
	if err != nil {
		t.Fatalf("search: %v", err)
	}
	return hits
}

func ids(hits archive.Hits) []string {
	list := []string{}
	for _, h := range hits.Hits {
		list = append(list, h.ID)
	}
	return list
}

func numbered(prefix string, n int) string { return fmt.Sprintf("%s%03d", prefix, n) }
