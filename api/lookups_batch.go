package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"dangan/api/auth"
	"dangan/api/internal/wire"
	"dangan/archive"
)

const (
	// inFlight is how many questions of one batch are being answered at once: enough for
	// their access entries to be written together. When the client reads no answers, no
	// more questions are read.
	inFlight   = 256
	lineLimit  = 64 << 10 // bytes of a question
	typeNDJSON = "application/x-ndjson"
)

// lookupLine is the answer to one line of a batch, in the order of the questions.
type lookupLine struct {
	Line    int             `json:"line" doc:"Of the question, from 1."`
	Answer  *archive.Answer `json:"answer,omitempty"`
	Problem *Problem        `json:"problem,omitempty" doc:"In place of the answer. The other lines are answered all the same."`
}

func batchOperation(schemas huma.Registry) huma.Operation {
	ndjson := func(t reflect.Type) map[string]*huma.MediaType {
		return map[string]*huma.MediaType{typeNDJSON: {Schema: schemas.Schema(t, true, "")}}
	}
	return huma.Operation{
		OperationID: "ask-lookup-batch", Method: http.MethodPost, Path: "/api/v1/lookups/batch", Tags: []string{"lookups"},
		Summary: "Ask many questions",
		Description: "A question a line, of at most 64 KiB; an answer or a problem a line, in the same order, while questions still come in. " +
			"A batch may be of any length. Whoever does not read the answers is not asked for more questions. Each question counts against the quota.",
		RequestBody: &huma.RequestBody{Required: true, Content: ndjson(reflect.TypeFor[archive.Question]())},
		Responses:   map[string]*huma.Response{"200": {Description: "A line for each question", Content: ndjson(reflect.TypeFor[lookupLine]())}},
	}
}

// said is how one line was answered.
type said struct {
	line   int
	answer archive.Answer
	err    error
}

func (s *Server) lookupBatch(c *gin.Context) error {
	if c.ContentType() != typeNDJSON {
		return errMediaType
	}
	if err := http.NewResponseController(c.Writer).EnableFullDuplex(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("batch: %w", err)
	}
	ctx, cancel := context.WithCancel(c.Request.Context())
	defer cancel()
	c.Header("Content-Type", typeNDJSON)
	c.Status(http.StatusOK)
	pending := make(chan (<-chan said), inFlight)
	told := make(chan error, 1)
	go func() {
		defer cancel() // nobody hears what else is answered
		told <- tell(ctx, c.Writer, pending)
	}()
	s.askAll(ctx, auth.From(ctx), wire.Patient(c.Writer, c.Request.Body), pending)
	close(pending)
	return <-told
}

// askAll begins to answer each line, as long as there is room for more.
func (s *Server) askAll(ctx context.Context, a archive.Actor, body io.Reader, pending chan<- (<-chan said)) {
	for l := range linesOf(body) {
		one := make(chan said, 1)
		select {
		case pending <- one:
		case <-ctx.Done():
			return
		}
		go func() {
			var q archive.Question
			answer, err := archive.Answer{}, l.err
			if err == nil {
				err = strictly(l.raw, &q)
			}
			if err == nil {
				answer, err = s.ask(ctx, a, q, l.raw)
			}
			one <- said{l.n, answer, err}
		}()
	}
}

// tell writes the answers down as they come, and sends them whenever no other follows
// at once.
func tell(ctx context.Context, w gin.ResponseWriter, pending <-chan (<-chan said)) error {
	lines := json.NewEncoder(w)
	for one := range pending {
		t := <-one
		line := lookupLine{Line: t.line}
		if t.err != nil {
			line.Problem = explain(ctx, t.err)
		} else {
			line.Answer = &t.answer
		}
		if err := lines.Encode(line); err != nil {
			return fmt.Errorf("batch: %w", err)
		}
		if len(pending) == 0 {
			w.Flush()
		}
	}
	return nil
}

// line is one line of a body, or why there is none.
type line struct {
	n   int
	raw []byte
	err error
}

// linesOf reads lines, passing over empty ones. One that is too long is an error in its
// place; one that cannot be read is the last.
func linesOf(body io.Reader) iter.Seq[line] {
	return func(yield func(line) bool) {
		in := bufio.NewReaderSize(body, lineLimit)
		for n := 1; ; n++ {
			raw, err := in.ReadSlice('\n')
			l := line{n: n, raw: bytes.Clone(bytes.TrimSpace(raw))}
			for err == bufio.ErrBufferFull {
				l.raw, l.err = nil, &http.MaxBytesError{Limit: lineLimit}
				_, err = in.ReadSlice('\n')
			}
			if err != nil && err != io.EOF {
				l.raw, l.err = nil, wire.ReadError(err)
			}
			if (len(l.raw) > 0 || l.err != nil) && !yield(l) || err != nil {
				return
			}
		}
	}
}

// strictly reads one JSON value that has no fields but the known ones.
func strictly(raw []byte, v any) error {
	in := json.NewDecoder(bytes.NewReader(raw))
	in.DisallowUnknownFields()
	if err := in.Decode(v); err != nil {
		return badJSON(err, "line")
	}
	if _, err := in.Token(); err != io.EOF {
		return badJSON(errors.New("more than one value"), "line")
	}
	return nil
}
