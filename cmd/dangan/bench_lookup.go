package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"slices"
	"time"

	"dangan/api"
	"dangan/api/client"
	"dangan/archive"
	"dangan/cmd/dangan/demo"
)

// Of agencies: how many ask at once, and how many persons are in one batch.
const (
	agencyClients = 64
	agencyBatch   = 2000
)

// lookupAll measures the look-ups of staff, then those of agencies.
func (b *bench) lookupAll(ctx context.Context) error {
	if err := b.lookup(ctx); err != nil {
		return err
	}
	return b.answers(ctx)
}

// answers compares answers to agencies, with their access entries and signed receipts,
// with the least that finding the record takes of the store. Single ones are asked of the
// room; batches go over HTTP, and the client checks every receipt.
func (b *bench) answers(ctx context.Context) error {
	for _, n := range b.records {
		err := b.at(ctx, n, func(w *bench) error {
			numbers, err := w.numbers(ctx, n)
			if err != nil {
				return err
			}
			asked, err := w.questions(ctx, numbers)
			if err != nil {
				return err
			}
			if err := w.singles(ctx, asked, n); err != nil {
				return err
			}
			return w.batches(ctx, asked, n)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// askable is a question with what finds its record.
type askable struct {
	archive.Question
	found
}

// questions asks of each number what its record answers.
func (w *bench) questions(ctx context.Context, numbers []found) ([]askable, error) {
	var list []askable
	for _, f := range numbers[:min(len(numbers), 500)] {
		v, err := w.house.records.Head(ctx, f.id)
		if err != nil {
			return nil, err
		}
		q := archive.Question{Kind: archive.RecordExists, Category: v.Value.Category,
			Person: archive.Person{ID: archive.IDNumber{Original: f.number}}, Purpose: archive.Purpose{Code: archive.ForPension, Case: "2026-1"}}
		if v.Value.Family == archive.Personnel {
			q.Kind = "personnel_file_held"
		}
		if a, err := w.house.lookup.Ask(ctx, bankOfQuestions(), q); err == nil && a.Exists {
			list = append(list, askable{q, f})
		}
	}
	if len(list) == 0 {
		return nil, errors.New("too few records: none answers a question")
	}
	return list, nil
}

// bankOfQuestions is an agency that may ask everything.
func bankOfQuestions() archive.Actor { return archive.Actor{ID: "bench", Role: archive.RoleAgency} }

func (w *bench) singles(ctx context.Context, asked []askable, n int) error {
	raw := func(ctx context.Context, i int) error { return w.listAndGet(ctx, asked[i%len(asked)].found) }
	ours := func(ctx context.Context, i int) error {
		a, err := w.house.lookup.Ask(ctx, bankOfQuestions(), asked[i%len(asked)].Question)
		if err == nil && (!a.Exists || a.Signed == "") {
			err = errors.New("not answered")
		}
		return err
	}
	r := row{What: "answers to agencies, traced and signed", N: n, Against: "LIST + GET", Clients: agencyClients}
	return w.compare(ctx, r, sides{raw: raw, ours: ours})
}

func (w *bench) batches(ctx context.Context, asked []askable, n int) error {
	c, closeDoor, err := w.agency(ctx)
	if err != nil {
		return err
	}
	defer closeDoor()
	var questions iter.Seq[archive.Question] = func(yield func(archive.Question) bool) {
		for i := range agencyBatch {
			if !yield(asked[i%len(asked)].Question) {
				return
			}
		}
	}
	raw := func(ctx context.Context, i int) error { return w.listAndGet(ctx, asked[i%len(asked)].found) }
	ours := func(ctx context.Context, _ int) error {
		for a, err := range c.AskAll(ctx, questions) {
			if err != nil || !a.Exists {
				return fmt.Errorf("an answer in a batch: %w", cmp.Or(err, errors.New("not found")))
			}
		}
		return nil
	}
	r := row{What: "persons in batches of agencies, receipts checked", N: n, Against: "LIST + GET", Clients: agencyClients}
	return w.compare(ctx, r, sides{raw: raw, ours: ours, callers: 1, each: agencyBatch})
}

// agency serves the house and is a client of it with a key of its own.
func (w *bench) agency(ctx context.Context) (*client.Client, func(), error) {
	list := demo.Accounts()
	n := newcomer{Account: list[slices.IndexFunc(list, func(a archive.Account) bool { return a.Role == archive.RoleAgency })]}
	n.User = fmt.Sprintf("bench-%d", time.Now().UnixNano()) // a house that was kept knows the last one
	if err := n.invent(); err != nil {
		return nil, nil, err
	}
	err := (plan{Accounts: []newcomer{n}}).apply(ctx, w.house.bucket, w.house.newID, func(newcomer) error { return nil })
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	server := api.HTTPServer("", w.house.handler, w.house.log)
	go func() { _ = server.Serve(l) }() // ends when it is closed
	transport := &http.Transport{}
	closeDoor := func() {
		transport.CloseIdleConnections()
		_ = server.Close() // nobody is asking any more
	}
	return client.New(client.Config{URL: "http://" + l.Addr().String(), Key: n.Token, HTTP: &http.Client{Transport: transport}}), closeDoor, nil
}
