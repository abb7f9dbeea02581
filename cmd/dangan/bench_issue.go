package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/minio/minio-go/v7"

	"dangan/archive"
)

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
	if err := b.compare(ctx, row{What: "draw and seal a certificate", Against: "memcpy + SHA-256 of it", Clients: 1}, sides{raw: raw, ours: ours}); err != nil {
		return err
	}
	approve, err := b.approvals(ctx, int(80*b.seconds)+10)
	if err != nil {
		return err
	}
	put := func(ctx context.Context, n int) error { return b.put(ctx, fmt.Sprint("bench/pdf-", n), pdf) }
	what := row{What: "approve and issue, everything stored", Against: "one PUT of the PDF", Clients: 1}
	if err := b.compare(ctx, what, sides{raw: put, ours: approve, settle: b.house.idle, turns: 3}); err != nil {
		return err
	}
	return b.copies(ctx)
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
		byPDF := func(ctx context.Context, _ int) error { return valid(b.house.certificates.VerifyPDF(ctx, pdf)) }
		for what, ours := range map[string]func(context.Context, int) error{"verify by number and code": byCode, "verify by PDF": byPDF} {
			if err := b.compare(ctx, row{What: what, Against: "two GETs", Clients: clients}, sides{raw: raw, ours: ours}); err != nil {
				return err
			}
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

// smallKey has a folder of its own: a file store lists a folder by walking it,
// and that of the deposits holds thousands.
const smallKey = "bench-read/small"

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
