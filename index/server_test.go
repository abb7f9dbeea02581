package index_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"dangan/internal/testenv"
)

// call sends one request to the server, past the package under test.
func call(t testing.TB, client *http.Client, server *testenv.MeilisearchServer, method, path string, body, answer any) {
	t.Helper()
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			t.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, &sent)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+server.MasterKey)
	r.Header.Set("Content-Type", "application/json")
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= 300 {
		t.Fatalf("%s: %s", path, response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		t.Fatal(err)
	}
}

// act has the server do a task behind the client's back, and waits for it.
func act(t testing.TB, server *testenv.MeilisearchServer, method, path string, body any) {
	t.Helper()
	var task struct {
		TaskUID json.Number `json:"taskUid"`
		Status  string      `json:"status"`
	}
	call(t, http.DefaultClient, server, method, path, body, &task)
	for task.Status != "succeeded" {
		if task.Status == "failed" {
			t.Fatalf("%s %s failed", method, path)
		}
		time.Sleep(5 * time.Millisecond)
		call(t, http.DefaultClient, server, http.MethodGet, "/tasks/"+task.TaskUID.String(), nil, &task)
	}
}
