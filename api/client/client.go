// Package client asks dangan's questions over HTTP: for programs of agencies.
//
// It owns how a question travels, alone or in batches of any length, and that an answer
// is believed only with a receipt that fits it. It must not know how questions are
// answered. It imports nothing but the words of the archive and the standard library.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"dangan/archive"
)

// Config is where and as whom to ask.
type Config struct {
	URL  string       // of the service, such as https://dangan.example
	Key  string       // of the agency; it is sent, and never shown in an error
	HTTP *http.Client // http.DefaultClient when nil
}

// Client asks. It may be used concurrently.
type Client struct {
	c Config

	mu   sync.Mutex
	keys []archive.JWK // as they were last read
}

// New makes a client. Nothing is asked yet.
func New(c Config) *Client {
	if c.HTTP == nil {
		c.HTTP = http.DefaultClient
	}
	c.URL = strings.TrimSuffix(c.URL, "/")
	return &Client{c: c}
}

// ErrReceipt is an answer whose receipt is not of that question and answer, or not by a
// key of the service. It must not be relied on.
var ErrReceipt = errors.New("the receipt does not fit")

// Problem is why there is no answer.
type Problem struct {
	Status   int              `json:"status"`
	Code     string           `json:"code"`    // stable
	Request  string           `json:"request"` // to be quoted to the operators
	Problems archive.Problems `json:"problems,omitempty"`
}

// Error is the code with the faults of the input, without values.
func (p *Problem) Error() string {
	if len(p.Problems) > 0 {
		return p.Code + ": " + p.Problems.Error()
	}
	return p.Code
}

// Unwrap gives the faults of the input, when there are any.
func (p *Problem) Unwrap() error { return p.Problems.Err() }

// Answer is an answer whose receipt was checked.
type Answer struct {
	archive.Answer
	Signed archive.Receipt // opened; its text, to be kept, is in Answer.Signed
}

// Ask asks one question. What the service says against it is a *Problem.
func (c *Client) Ask(ctx context.Context, q archive.Question) (Answer, error) {
	asked, err := json.Marshal(q)
	if err != nil {
		return Answer{}, fmt.Errorf("ask: %w", err)
	}
	body, err := c.send(ctx, http.MethodPost, "/api/v1/lookups", "application/json", bytes.NewReader(asked))
	if err != nil {
		return Answer{}, fmt.Errorf("ask: %w", err)
	}
	defer body.Close()
	raw, err := io.ReadAll(body)
	if err != nil {
		return Answer{}, fmt.Errorf("ask: %w", err)
	}
	return c.check(ctx, asked, raw)
}

// Keys reads the keys that receipts are checked with.
func (c *Client) Keys(ctx context.Context) ([]archive.JWK, error) {
	body, err := c.send(ctx, http.MethodGet, "/api/v1/receipt-keys", "", nil)
	if err != nil {
		return nil, fmt.Errorf("receipt keys: %w", err)
	}
	defer body.Close()
	var set struct {
		Keys []archive.JWK `json:"keys"`
	}
	if err := json.NewDecoder(body).Decode(&set); err != nil {
		return nil, fmt.Errorf("receipt keys: %w", err)
	}
	return set.Keys, nil
}

// known is Keys, read once.
func (c *Client) known(ctx context.Context) ([]archive.JWK, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil {
		keys, err := c.Keys(ctx)
		if err != nil {
			return nil, err
		}
		c.keys = keys
	}
	return c.keys, nil
}

// check reads an answer and compares its receipt with it and with the question.
func (c *Client) check(ctx context.Context, asked, raw []byte) (Answer, error) {
	keys, err := c.known(ctx)
	if err != nil {
		return Answer{}, err
	}
	return Check(asked, raw, keys)
}

// Check reads an answer as it came, and compares its receipt with it and with the
// question as it was sent: for whoever has kept all three. The error is ErrReceipt when
// they do not fit.
func Check(asked, raw []byte, keys []archive.JWK) (Answer, error) {
	var a Answer
	var parts map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(raw, &a.Answer), json.Unmarshal(raw, &parts)); err != nil {
		return Answer{}, errors.New("the answer cannot be read") // why might repeat it
	}
	receipt, err := archive.OpenReceipt(a.Answer.Signed, keys)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrReceipt, err)
	}
	delete(parts, "signed")
	unsigned, err := json.Marshal(parts)
	if err != nil {
		return Answer{}, err
	}
	question, err := archive.Digest(asked)
	answer, errAnswer := archive.Digest(unsigned)
	if err != nil || errAnswer != nil || question != receipt.Question || answer != receipt.Answer {
		return Answer{}, ErrReceipt
	}
	a.Signed = receipt
	return a, nil
}

// send makes a request; an answer that is no success is a *Problem.
func (c *Client) send(ctx context.Context, method, path, kind string, body io.Reader) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.c.URL+path, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.c.Key)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	answer, err := c.c.HTTP.Do(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusOK {
		return answer.Body, nil
	}
	defer answer.Body.Close()
	p := &Problem{}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(p); err != nil || p.Code == "" {
		p.Code = "http"
	}
	p.Status = answer.StatusCode
	return nil, p
}
