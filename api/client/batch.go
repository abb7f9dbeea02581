package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"

	"dangan/archive"
)

// ahead is how many questions of a batch may be on their way without an answer: more
// than the service takes in, so that it never waits for the client.
const ahead = 1024

// AskAll asks as many questions as there are, over one request, and gives an answer for
// each, in order, while questions are still drawn. No question is drawn when many are
// without an answer, so a batch of any length takes little memory. A question that is not
// answered gives its *Problem, or an ErrReceipt, in its place and the next one goes on;
// any other error is the last. Whoever stops early ends the request. Questions are drawn
// in a goroutine of their own.
func (c *Client) AskAll(ctx context.Context, questions iter.Seq[archive.Question]) iter.Seq2[Answer, error] {
	return func(yield func(Answer, error) bool) {
		if err := c.askAll(ctx, questions, yield); err != nil {
			yield(Answer{}, fmt.Errorf("ask all: %w", err))
		}
	}
}

// answerLine is a line that comes back.
type answerLine struct {
	Answer  json.RawMessage `json:"answer"`
	Problem *Problem        `json:"problem"`
}

func (c *Client) askAll(ctx context.Context, questions iter.Seq[archive.Question], yield func(Answer, error) bool) error {
	keys, err := c.known(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	body, out := io.Pipe()
	defer body.Close()
	sent, wrote := make(chan []byte, ahead), make(chan error, 1)
	go func() {
		err := write(ctx, out, questions, sent)
		_ = out.CloseWithError(err) // never fails; the request hears of it
		wrote <- err
	}()
	answers, err := c.send(ctx, http.MethodPost, "/api/v1/lookups/batch", "application/x-ndjson", body)
	if err != nil {
		return err
	}
	defer answers.Close()
	lines := json.NewDecoder(answers)
	for asked := range sent {
		var l answerLine
		if err := lines.Decode(&l); err != nil {
			return err
		}
		var a Answer
		var bad error
		if l.Problem != nil {
			bad = l.Problem
		} else {
			a, bad = Check(asked, l.Answer, keys)
		}
		if !yield(a, bad) {
			return nil
		}
	}
	return <-wrote
}

// write sends the questions, a line each, and keeps each for its answer.
func write(ctx context.Context, out io.Writer, questions iter.Seq[archive.Question], sent chan<- []byte) error {
	defer close(sent)
	for q := range questions {
		asked, err := json.Marshal(q)
		if err != nil {
			return err
		}
		select {
		case sent <- asked:
		case <-ctx.Done():
			return ctx.Err()
		}
		if _, err := fmt.Fprintf(out, "%s\n", asked); err != nil {
			return err
		}
	}
	return nil
}
