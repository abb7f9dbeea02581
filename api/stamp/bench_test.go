package stamp

import (
	"context"
	"testing"
)

func BenchmarkDraw(b *testing.B) {
	s := newTestStamper(b)
	sheet := marriageSheet()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Draw(sheet); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIssue(b *testing.B) {
	s := newTestStamper(b)
	sheet := marriageSheet()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Issue(context.Background(), sheet); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	s := newTestStamper(b)
	pdf, err := s.Issue(context.Background(), marriageSheet())
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(pdf)))
	for b.Loop() {
		result, err := Verify(pdf, s.roots, s.now)
		if err != nil || result.Word != Valid {
			b.Fatal(result, err)
		}
	}
}
