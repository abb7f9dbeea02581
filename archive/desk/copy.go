package desk

import (
	"context"
	"fmt"
	"slices"

	"dangan/archive"
)

// Choice is a request for copies with the record that it was matched to, for
// whoever may choose its pages. It is archive.ErrState when there is no such record.
func (d *Room) Choice(ctx context.Context, actor archive.Actor, id string) (archive.Version[archive.Request], archive.RecordView, error) {
	var none archive.RecordView
	v, err := d.Request(ctx, actor, id)
	if err != nil {
		return v, none, err
	}
	if err := d.allow(ctx, actor, archive.ActReview, v.Value); err != nil {
		return v, none, hide(err)
	}
	if v.Value.Service != archive.ServiceCopy || v.Value.Record == "" || v.Value.State.Closed() {
		return v, none, fmt.Errorf("copies for a request that is %s: %w", v.Value.State, archive.ErrState)
	}
	view, err := d.open(ctx, actor, v.Value)
	return v, view, err
}

// open passes the door with the record of a request.
func (d *Room) open(ctx context.Context, actor archive.Actor, r archive.Request) (archive.RecordView, error) {
	view, err := d.c.Files.Open(ctx, actor, archive.Purpose{Code: archive.ForRequest, Case: r.ID}, r.Record)
	if err != nil {
		return view, fmt.Errorf("open record: %w", err)
	}
	return view, nil
}

// choose notes which pages of the matched record are to be copied.
func (d *Room) choose(ctx context.Context, actor archive.Actor, r *archive.Request, pages []archive.CopyPage) error {
	if r.Service != archive.ServiceCopy {
		return archive.Problems{{Code: "no_copy_wanted", Field: "step"}}
	}
	view, err := d.open(ctx, actor, *r)
	if err != nil {
		return err
	}
	chosen, err := archive.NewCopy(pages, view)
	if err != nil {
		return err
	}
	r.Copy = &chosen
	return nil
}

// reviewCopy looks once more at the files that pages were chosen of: what the
// reviewer has before him is what will be certified.
func (d *Room) reviewCopy(ctx context.Context, actor archive.Actor, r *archive.Request, m archive.Move) error {
	pages := m.Pages
	if len(pages) == 0 && r.Copy != nil {
		pages = r.Copy.Pages
	}
	return d.choose(ctx, actor, r, pages)
}

// chose reports whether the actor has had a hand in choosing the pages since the
// request was matched last.
func chose(r archive.Request, actor string) bool {
	for _, e := range slices.Backward(r.Events) {
		switch {
		case e.Step == archive.StepMatch:
			return false
		case e.Step == archive.StepChoose && e.Actor == actor:
			return true
		}
	}
	return false
}
