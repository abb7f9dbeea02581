package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"dangan/api"
	"dangan/archive"
)

// asker is a room of questions.
type asker func(archive.Question) (archive.Answer, error)

func (f asker) Ask(_ context.Context, _ archive.Actor, q archive.Question) (archive.Answer, error) {
	return f(q)
}

// asking answers each question with its case number as the receipt, by way of f.
func (w *world) asking(f asker) {
	c := w.config()
	c.Lookup = f
	w.rebuild(c)
}

type answerLine struct {
	Line    int
	Answer  *archive.Answer
	Problem *api.Problem
}

func batchLine(n int) string {
	return fmt.Sprintf(`{"question":"record_exists","category":"marriage","person":{"id":{"original":"999999199001010016"}},"purpose":{"code":"pension","case":"%d"}}`, n)
}

func batchRequest(w *world, body io.Reader) *http.Request {
	r := httptest.NewRequest("POST", "/api/v1/lookups/batch", body)
	r.Header.Set("Content-Type", "application/x-ndjson")
	r.Header.Set("Authorization", "Bearer "+w.tokens[archive.RoleAgency])
	return r
}

func answerLines(t *testing.T, body io.Reader) []answerLine {
	t.Helper()
	var list []answerLine
	for lines := json.NewDecoder(body); ; {
		var l answerLine
		if err := lines.Decode(&l); err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, l)
	}
}

// TestABadLineIsAnsweredInItsPlace and takes no other with it.
func TestABadLineIsAnsweredInItsPlace(t *testing.T) {
	w := newWorld(t)
	second := make(chan struct{})
	w.asking(func(q archive.Question) (archive.Answer, error) {
		switch q.Purpose.Case {
		case "1": // is answered after the last
			<-second
		case "9":
			defer close(second)
		case "7":
			return archive.Answer{}, archive.Problems{{Code: "required", Field: "person.id"}}
		case "8":
			return archive.Answer{}, fmt.Errorf("lookup: %w", archive.ErrUnavailable)
		}
		return archive.Answer{Receipt: q.Purpose.Case}, nil
	})
	body := strings.Join([]string{batchLine(1), `{"question":`, "", `{"secret":1}`, batchLine(5) + batchLine(5), strings.Repeat("x", 200<<10),
		batchLine(7), batchLine(8), batchLine(9)}, "\n")
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, batchRequest(w, strings.NewReader(body)))
	var got []string
	for _, l := range answerLines(t, rec.Body) {
		if l.Problem != nil {
			got = append(got, fmt.Sprint(l.Line, " ", l.Problem.Code))
		} else {
			got = append(got, fmt.Sprint(l.Line, " is ", l.Answer.Receipt))
		}
	}
	want := []string{"1 is 1", "2 malformed", "4 malformed", "5 malformed", "6 too_large", "7 invalid", "8 unavailable", "9 is 9"}
	if diff := cmp.Diff(want, got); diff != "" || rec.Code != 200 {
		t.Error(rec.Code, diff)
	}
	if strings.Contains(w.log.String(), "secret") || strings.Contains(w.log.String(), "99999919900101") {
		t.Errorf("the log repeats a line: %s", &w.log)
	}
}

// TestABatchWaitsForItsReader: while nothing is answered, no more than so many questions
// are taken in; then all are answered, in order.
func TestABatchWaitsForItsReader(t *testing.T) {
	const many, most = 2000, 300
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		open := make(chan struct{})
		w.asking(func(q archive.Question) (archive.Answer, error) {
			asked.Add(1)
			<-open
			return archive.Answer{Receipt: q.Purpose.Case}, nil
		})
		var body strings.Builder
		for n := range many {
			body.WriteString(batchLine(n+1) + "\n")
		}
		rec := httptest.NewRecorder()
		go w.handler.ServeHTTP(rec, batchRequest(w, strings.NewReader(body.String())))
		synctest.Wait()
		if n := asked.Load(); n < 2 || n > most {
			t.Errorf("%d questions at once", n)
		}
		close(open)
		synctest.Wait()
		list := answerLines(t, rec.Body)
		for i, l := range list {
			if l.Answer == nil || l.Answer.Receipt != fmt.Sprint(i+1) || l.Line != i+1 {
				t.Fatalf("line %d: %+v", i+1, l)
			}
		}
		if len(list) != many {
			t.Errorf("%d answers", len(list))
		}
	})
}

// TestABatchAnswersAsItGoes: over a connection, each question is sent only when the one
// before it is answered.
func TestABatchAnswersAsItGoes(t *testing.T) {
	w := newWorld(t)
	w.asking(func(q archive.Question) (archive.Answer, error) { return archive.Answer{Receipt: q.Purpose.Case}, nil })
	server := httptest.NewServer(w.handler)
	defer server.Close()
	body, questions := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+"/api/v1/lookups/batch", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = batchRequest(w, nil).Header
	go fmt.Fprintln(questions, batchLine(1))
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	for n := 1; n < 4 && lines.Scan(); n++ {
		if want := fmt.Sprintf(`{"line":%d,"answer":{"exists":false,"receipt":"%d"`, n, n); !strings.HasPrefix(lines.Text(), want) {
			t.Errorf("%s is not %s", lines.Text(), want)
		}
		fmt.Fprintln(questions, batchLine(n+1))
	}
	questions.Close()
	if !lines.Scan() || lines.Scan() || lines.Err() != nil {
		t.Errorf("the last answer: %q %v", lines.Text(), lines.Err())
	}
}

func TestABatchIsNDJSON(t *testing.T) {
	w := newWorld(t)
	if p := problem(t, w.do(call{role: archive.RoleAgency, method: "POST", path: "/api/v1/lookups/batch", body: batchLine(1)})); p.Code != "unsupported_media_type" {
		t.Errorf("%+v", p)
	}
}
