package main

import (
	"bytes"
	"context"
	"errors"
	"image"
	"io"
	"testing"

	"dangan/api/reader"
	"dangan/api/stamp"
	"dangan/archive"
)

func newCopyRig(t *testing.T, pages *reader.Reader, stamper *sealer) *rig {
	t.Helper()
	r := newRig(t, pages, stamper)
	r.copier = newCopier(stamper, pages)
	r.restart()
	return r
}

// copyOf brings a request for pages of the record to where only the approval is
// missing.
func (r *rig) copyOf(t *testing.T, record archive.RecordView, pages ...archive.CopyPage) (id string) {
	t.Helper()
	request, err := r.house.desk.Submit(t.Context(), r.actor("citizen"), "", archive.Request{Office: record.Office, Purpose: "办理公证", Service: archive.ServiceCopy,
		Wanted: archive.Wanted{Category: "marriage", Persons: []archive.Person{{Name: "李𬱖", Role: "wife"}}}})
	if err != nil {
		t.Fatal(err)
	}
	r.settle()
	for _, m := range []archive.Move{{Step: archive.StepMatch, Record: record.ID}, {Step: archive.StepChoose, Pages: pages}, {Step: archive.StepReview}} {
		if request, err = r.house.desk.Move(t.Context(), r.actor("reviewer"), request.Value.ID, request.N, m); err != nil {
			t.Fatal(err)
		}
	}
	return request.Value.ID
}

func copyPage(file int, masks ...archive.Box) archive.CopyPage {
	return archive.CopyPage{PageRef: archive.PageRef{File: file, Page: 1}, Masks: masks}
}

// TestCopyWithEveryWriteFailing: whatever fails, and whoever dies, one copy goes
// out under one number.
func TestCopyWithEveryWriteFailing(t *testing.T) {
	pages, stamper := newReader(t), newTestSealer(t)
	eachFault(t, func(t *testing.T, f fault) int {
		r := newCopyRig(t, pages, stamper)
		record, err := r.deposit(r.actor("uploader"))
		if err != nil {
			t.Fatal(err)
		}
		id, approver := r.copyOf(t, record, copyPage(1), copyPage(2)), r.actor("approver")
		writes := f.arm(r.store)
		_ = r.approve(approver, id) // it may fail, and so may the job: that is what the fault is for
		_ = r.drain()
		seen := writes()

		r.restart()
		r.settle()
		if err := r.approve(approver, id); err != nil && !errors.Is(err, archive.ErrState) {
			t.Fatalf("repeat: %v", err)
		}
		r.settle()
		r.checkIssued(t, id)
		return seen
	})
}

// TestAppendedCopy: an office may have the marks appended. Then the original is in
// the copy as it was, but only if it is handed out whole.
func TestAppendedCopy(t *testing.T) {
	pages, stamper := newReader(t), newTestSealer(t)
	original, err := drawn(stamper)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		appends bool
		masks   []archive.Box
		whole   bool
	}{
		"whole":              {appends: true, whole: true},
		"masked":             {appends: true, masks: []archive.Box{{Width: 0.1, Height: 0.1, Reason: archive.MaskMinor}}},
		"not of this office": {},
	} {
		t.Run(name, func(t *testing.T) {
			r := newCopyRig(t, pages, stamper)
			uploader := r.actor("uploader")
			office, err := r.house.offices.Head(t.Context(), uploader.Office)
			if err != nil {
				t.Fatal(err)
			}
			office.Value.AppendCopies = tt.appends
			if err := r.house.offices.Append(t.Context(), uploader.Office, office.N+1, office.Value); err != nil {
				t.Fatal(err)
			}
			d := r.batchOf(uploader, 1)[0]
			d.Record.Persons[0].Name = r.actor("citizen").Name
			d.Files = func(yield func(archive.Upload, error) bool) {
				yield(archive.Upload{Name: "一.pdf", Body: bytes.NewReader(original)}, nil)
			}
			record, err := r.house.holdings.Deposit(t.Context(), uploader, "pdf", d.Record, d.Files)
			if err != nil {
				t.Fatal(err)
			}
			id := r.copyOf(t, record, copyPage(1, tt.masks...))
			if err := r.approve(r.actor("approver"), id); err != nil {
				t.Fatal(err)
			}
			r.settle()
			r.checkIssued(t, id)
			content, err := r.house.certificates.PDF(t.Context(), r.actor("citizen"), id)
			if err != nil {
				t.Fatal(err)
			}
			if whole := bytes.HasPrefix(readAll(t, content), original); whole != tt.whole {
				t.Errorf("the original is in the copy: %v", whole)
			}
		})
	}
}

// drawn is a PDF of one page that nobody has sealed.
func drawn(s *sealer) ([]byte, error) {
	stamper, err := s.stamper(archive.Certificate{Office: "draws", Issuer: archive.Label{ZH: "民政局"}})
	if err != nil {
		return nil, err
	}
	return stamper.Draw(stamp.Sheet{Language: "zh-CN", Issuer: "民政局", Title: "登记表", Number: "1", SignedBy: "民政局", Date: "2010年",
		Body: []stamp.Paragraph{{{Text: "准予登记。"}}}, Labels: stamp.Chinese()})
}

// lying draws pages that it has not got, so many pixels wide.
type lying struct {
	width int
	err   error
}

func (l lying) Render(context.Context, io.ReaderAt, int64, int, int) (*image.RGBA, error) {
	return image.NewRGBA(image.Rect(0, 0, l.width, 1)), l.err
}

func TestRaster(t *testing.T) {
	size := archive.PageSize{Width: 400, Height: 300, Rotate: 90}
	for name, tt := range map[string]struct {
		kind          string
		size          archive.PageSize
		pixels        int
		width, height float64
	}{
		"turned page":      {"application/pdf", size, 300, 300, 400},
		"large page":       {"application/pdf", archive.PageSize{Width: 4000, Height: 3000}, 3000, 4000, 3000},
		"picture":          {"image/jpeg", size, 301, 300, 400},
		"picture in dots":  {"image/jpeg", archive.PageSize{Width: 2525.67, Height: 1785.84}, 2526, 841.89, 595.28},
		"small picture":    {"image/png", archive.PageSize{Width: 59.528, Height: 84.189}, 60, 595.28, 841.89},
		"of unknown size":  {"image/png", archive.PageSize{}, 500, 595.28, 841.89},
		"long thin scroll": {"image/png", archive.PageSize{Width: 100, Height: 1683.78}, 100, 50, 841.89},
	} {
		page := copyPage(1)
		page.Size = tt.size
		got, err := raster{lying{width: tt.pixels}}.Render(t.Context(), scan{content{}, tt.kind, map[int]archive.CopyPage{1: page}}, 1, 200)
		if err != nil || max(got.Width-tt.width, tt.width-got.Width, got.Height-tt.height, tt.height-got.Height) > 0.01 {
			t.Errorf("%s is %v by %v, %v", name, got.Width, got.Height, err)
		}
	}
}

// content is empty.
type content struct{ bytes.Reader }

func (content) Close() error                              { return nil }
func (content) Size() int64                               { return 0 }
func (content) Range(int64, int64) (io.ReadCloser, error) { return nil, archive.ErrInvalid }
func (content) ReadAt([]byte, int64) (int, error)         { return 0, io.EOF }

// TestCopyErrors: what a page cannot be drawn for is said in a code.
func TestCopyErrors(t *testing.T) {
	page := copyPage(1)
	cert := archive.Certificate{ID: "01K0000000000000000000000Q", Office: "qc", Issuer: archive.Label{ZH: "青川市档案馆"}, Number: "1", Purpose: "办理公证",
		Statements: []archive.Statement{{Text: "一", Source: archive.Citation{RefCode: "J019"}}}, Title: archive.Label{ZH: "副本"},
		Copy: &archive.Copy{Pages: []archive.CopyPage{page}, Originals: []archive.Original{{File: 1, Kind: "image/png"}}}}
	c := newCopier(newTestSealer(t), lying{err: reader.ErrNoPage})
	var coded interface{ Code() string }
	if err := c.Copy(t.Context(), cert, []archive.Content{content{}}, io.Discard); !errors.As(err, &coded) || coded.Code() != "page_unreadable" {
		t.Error(err)
	}
}
