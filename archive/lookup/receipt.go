package lookup

import (
	"encoding/json"
	"fmt"

	"dangan/archive"
)

// sign adds the signed receipt to an answer that is complete but for it.
func (r *Room) sign(actor archive.Actor, q archive.Question, answer archive.Answer) (archive.Answer, error) {
	said, err := digest(answer)
	if err == nil && q.Digest == "" {
		q.Digest, err = digest(q)
	}
	if err == nil {
		answer.Signed, err = r.c.Signer.Sign(archive.Receipt{
			ID: answer.Receipt, Agency: actor.ID, At: answer.At.Unix(), Kind: q.Kind,
			Question: q.Digest, Answer: said, Purpose: q.Purpose.Code, Case: q.Purpose.Case,
		})
	}
	if err != nil {
		return archive.Answer{}, fmt.Errorf("receipt: %w", err)
	}
	return answer, nil
}

func digest(v any) (string, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return archive.Digest(raw)
}
