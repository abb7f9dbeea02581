package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"

	"dangan/archive"
	"dangan/cmd/dangan/demo"
)

// ingest compares deposits, with evidence, sealing and everything, against a
// plain PUT of the same bytes on the same server.
func (b *bench) ingest(ctx context.Context) error {
	by := b.people["uploader"]
	for _, size := range b.sizes {
		content := make([]byte, size)
		if _, err := rand.Read(content); err != nil {
			return err
		}
		for _, clients := range b.clients {
			raw := func(ctx context.Context, n int) error {
				return b.put(ctx, fmt.Sprintf("bench/%d-%d-%d", size, clients, n), content)
			}
			ours := func(ctx context.Context, n int) error {
				_, err := b.deposit(ctx, by, fmt.Sprintf("%d%02d%07d", size, clients, n), content)
				return err
			}
			if err := b.compare(ctx, "deposit "+bytesWord(size), "minio-go PUT", clients, raw, ours); err != nil {
				return err
			}
			if err := b.house.idle(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func bytesWord(n int) string {
	if n >= 1_000_000 {
		return fmt.Sprintf("%d MB", n/1_000_000)
	}
	return fmt.Sprintf("%d KB", n/1000)
}

func (b *bench) put(ctx context.Context, key string, content []byte) error {
	_, err := b.raw.PutObject(ctx, b.bucket, key, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{})
	return err
}

// deposit takes in a marriage record with one file.
func (b *bench) deposit(ctx context.Context, by archive.Actor, number string, content []byte) (archive.RecordView, error) {
	year, err := archive.ParseDate("2010")
	if err != nil {
		return archive.RecordView{}, err
	}
	citizen := b.people["citizen"]
	r := archive.Record{
		Category: "marriage", Office: by.Office, Title: "结婚登记审查处理表", Responsible: "青川市民政局", Date: year,
		RefCode: archive.BuildRefCode(demo.Offices()[0].Fonds[0], []string{"ZY", "BENCH", "2010", "D100"}, "001", number),
		Persons: []archive.Person{{Name: citizen.Name, Role: "husband"}, {Name: "李㛃", Role: "wife"}},
		Fields:  map[string]string{"registration_kind": "marriage", "certificate_number": number, "registered_on": "2010", "registry": "民政局"},
	}
	files := func(yield func(archive.Upload, error) bool) {
		yield(archive.Upload{Name: "scan.bin", Body: bytes.NewReader(content)}, nil)
	}
	return b.house.holdings.Deposit(ctx, by, "", r, iter.Seq2[archive.Upload, error](files))
}

// search compares what a clerk gets, with rights, masks and a trace, against the
// index adapter alone.
func (b *bench) search(ctx context.Context) error {
	if err := b.fill(ctx); err != nil {
		return err
	}
	by := b.people["reviewer"]
	scope := archive.Scope{Clauses: []archive.Clause{{Office: by.Office}, {Openness: archive.Open, Family: archive.Livelihood}}}
	for _, q := range []struct{ what, text string }{{"a name", "李㛃"}, {"pinyin", "zhang"}, {"a phrase of titles", "结婚登记"}} {
		for _, clients := range b.clients {
			query := archive.Query{Text: q.text, Limit: 20}
			raw := func(ctx context.Context, _ int) error {
				_, err := b.house.index.Search(ctx, query, scope)
				return err
			}
			ours := func(ctx context.Context, _ int) error {
				_, err := b.house.holdings.Search(ctx, by, query)
				return err
			}
			if err := b.compare(ctx, fmt.Sprintf("search for %s, %d records", q.what, b.records), "index alone", clients, raw, ours); err != nil {
				return err
			}
		}
	}
	return b.lookUp(ctx, by)
}

// lookUp compares the exact way, which needs no index.
func (b *bench) lookUp(ctx context.Context, by archive.Actor) error {
	first := ""
	for d := range demo.Records(demo.Seed, 1) {
		first = d.Record.RefCode.Original
	}
	for _, clients := range b.clients {
		raw := func(ctx context.Context, _ int) error { return b.listAndGet(ctx, 1) }
		ours := func(ctx context.Context, _ int) error {
			hits, err := b.house.holdings.Search(ctx, by, archive.Query{Text: first})
			if err == nil && !hits.Exact {
				err = errors.New("not an exact look-up")
			}
			return err
		}
		if err := b.compare(ctx, "look-up by reference code", "LIST + GET", clients, raw, ours); err != nil {
			return err
		}
	}
	return nil
}

// smallKey has a folder of its own: a file store lists a folder by walking it,
// and that of the deposits holds thousands.
const smallKey = "bench-read/small"

// listAndGet is the least that a look-up by a mark can take.
func (b *bench) listAndGet(ctx context.Context, gets int) error {
	for o := range b.raw.ListObjects(ctx, b.bucket, minio.ListObjectsOptions{Prefix: smallKey, MaxKeys: 1}) {
		if o.Err != nil {
			return o.Err
		}
	}
	return b.get(ctx, smallKey, gets)
}

func (b *bench) get(ctx context.Context, key string, times int) error {
	for range times {
		o, err := b.raw.GetObject(ctx, b.bucket, key, minio.GetObjectOptions{})
		if err == nil {
			_, err = io.Copy(io.Discard, o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fill deposits the records of the demonstration, without their scans.
func (b *bench) fill(ctx context.Context) error {
	if err := b.put(ctx, smallKey, make([]byte, 1000)); err != nil {
		return err
	}
	by := b.people["uploader"]
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for d := range demo.Records(demo.Seed, b.records) {
		group.Go(func() error {
			r := d.Record
			r.Office = by.Office
			none := func(func(archive.Upload, error) bool) {}
			_, err := b.house.holdings.Deposit(gctx, by, "", r, none)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return b.house.idle(ctx)
}

// issue compares sealing with what it cannot do without, and the whole way from
// approval to a stored PDF with one PUT of it.
func (b *bench) issue(ctx context.Context) error {
	c := sampleCertificate()
	pdf, err := b.sealer.Stamp(ctx, c)
	if err != nil {
		return err
	}
	copied := make([]byte, len(pdf))
	raw := func(context.Context, int) error {
		copy(copied, pdf)
		sum := sha256.Sum256(copied)
		copied[0] = sum[0]
		return nil
	}
	ours := func(ctx context.Context, _ int) error {
		_, err := b.sealer.Stamp(ctx, c)
		return err
	}
	if err := b.compare(ctx, "draw and seal a certificate", "memcpy + SHA-256 of it", 1, raw, ours); err != nil {
		return err
	}
	approve, err := b.approvals(ctx, 200)
	if err != nil {
		return err
	}
	put := func(ctx context.Context, n int) error { return b.put(ctx, fmt.Sprint("bench/pdf-", n), pdf) }
	return b.compare(ctx, "approve and issue, everything stored", "one PUT of the PDF", 1, put, approve)
}

func sampleCertificate() archive.Certificate {
	day, _ := archive.ParseDate("20100520") // a constant that parses
	text := "张㛃（女，1990年3月7日出生）与李𬱖（男，1988年10月2日出生）于2010年5月20日在青川市民政局婚姻登记处办理结婚登记。"
	return archive.Certificate{ID: "bench", Issuer: archive.Label{ZH: "青川市档案馆"}, SealNumber: "1101080012345", Number: "青民档证〔2026〕000123号",
		Code: "7F3K-9QX2-M5TB", Title: archive.Label{ZH: "婚姻登记档案证明"}, Holder: "张㛃", HolderID: "999999********0016",
		Matter: archive.Label{ZH: "婚姻登记"}, Purpose: "办理公积金贷款",
		Statements: []archive.Statement{{Text: text, Source: archive.Citation{RefCode: "J019-ZY·HY·2010·D100-001-0001", File: 1, Page: 3, Date: day}}}}
}

// verify compares an answer to the public with the reads it takes, and with
// hashing for a dropped PDF.
func (b *bench) verify(ctx context.Context) error {
	if err := b.put(ctx, smallKey, make([]byte, 1000)); err != nil {
		return err
	}
	number, code, pdf, err := b.issued(ctx)
	if err != nil {
		return err
	}
	for _, clients := range b.clients {
		raw := func(ctx context.Context, _ int) error { return b.get(ctx, smallKey, 2) }
		byCode := func(ctx context.Context, _ int) error {
			return valid(b.house.certificates.Verify(ctx, number, code))
		}
		if err := b.compare(ctx, "verify by number and code", "two GETs", clients, raw, byCode); err != nil {
			return err
		}
		byPDF := func(ctx context.Context, _ int) error { return valid(b.house.certificates.VerifyPDF(ctx, pdf)) }
		if err := b.compare(ctx, "verify by PDF", "two GETs", clients, raw, byPDF); err != nil {
			return err
		}
	}
	return nil
}

func valid(v archive.Verification, err error) error {
	if err == nil && v.Verdict != archive.Valid {
		err = fmt.Errorf("verifies as %s", v.Verdict)
	}
	return err
}
