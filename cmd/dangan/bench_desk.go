package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"time"

	"dangan/archive"
)

// reviewed makes requests for one record that want only the approval.
func (b *bench) reviewed(ctx context.Context, count int) ([]archive.Version[archive.Request], error) {
	uploader := b.people["uploader"]
	reviewer := b.people["reviewer"]
	citizen := b.people["citizen"]
	var page bytes.Buffer
	if err := png.Encode(&page, image.NewGray(image.Rect(0, 0, 100, 141))); err != nil {
		return nil, err
	}
	r, files, err := b.sampleDeposit(fmt.Sprint(time.Now().UnixNano()), page.Bytes())
	if err != nil {
		return nil, err
	}
	record, err := b.house.holdings.Deposit(ctx, uploader, "", r, files)
	if err != nil {
		return nil, err
	}
	if err := b.house.idle(ctx); err != nil {
		return nil, err
	}
	var list []archive.Version[archive.Request]
	for range count {
		v, err := b.house.desk.Submit(ctx, citizen, "", archive.Request{Office: uploader.Office, Purpose: "办理公积金贷款",
			Wanted: archive.Wanted{Category: "marriage", Persons: []archive.Person{{Name: "李㛃", Role: "wife"}}}})
		for _, m := range []archive.Move{{Step: archive.StepMatch, Record: record.ID}, {Step: archive.StepReview, Sources: []archive.PageRef{{File: 1, Page: 1}}}} {
			if err == nil {
				v, err = b.house.desk.Move(ctx, reviewer, v.Value.ID, v.N, m)
			}
		}
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, b.house.idle(ctx)
}

// approvals is an operation that approves a request and waits for its sealed
// certificate. There are only so many: past them it fails.
func (b *bench) approvals(ctx context.Context, count int) (func(context.Context, int) error, error) {
	list, err := b.reviewed(ctx, count)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, n int) error {
		if n > len(list) {
			return fmt.Errorf("all %d requests are used up: it is faster than this was written for", count)
		}
		_, err := b.approve(ctx, list[n-1])
		return err
	}, nil
}

func (b *bench) approve(ctx context.Context, v archive.Version[archive.Request]) (archive.Request, error) {
	approver := b.people["approver"]
	v, err := b.house.desk.Move(ctx, approver, v.Value.ID, v.N, archive.Move{Step: archive.StepApprove})
	for err == nil && v.Value.State != archive.Issued {
		time.Sleep(time.Millisecond)
		v, err = b.house.desk.Request(ctx, approver, v.Value.ID)
	}
	return v.Value, err
}

// issued is a certificate to verify.
func (b *bench) issued(ctx context.Context) (number, code string, pdf []byte, err error) {
	list, err := b.reviewed(ctx, 1)
	if err != nil {
		return "", "", nil, err
	}
	r, err := b.approve(ctx, list[0])
	if err != nil {
		return "", "", nil, err
	}
	citizen := b.people["citizen"]
	c, err := b.house.certificates.Certificate(ctx, citizen, r.Certificate)
	if err != nil {
		return "", "", nil, err
	}
	content, err := b.house.certificates.PDF(ctx, citizen, r.Certificate)
	if err != nil {
		return "", "", nil, err
	}
	defer content.Close()
	body, err := content.Range(0, content.Size())
	if err != nil {
		return "", "", nil, err
	}
	defer body.Close()
	pdf, err = io.ReadAll(body)
	return c.Value.Number, c.Value.Code, pdf, err
}
