def test_what_is_wrong_and_the_cure_are_two_sentences():
    from chw_tools.errors import ModelNotFound

    assert str(ModelNotFound("no such model is kept", cure="Train one.")) == (
        "no such model is kept. Train one."
    )
    assert str(ModelNotFound("It is gone.", where="x", cure="Train one.")) == (
        "x: It is gone. Train one."
    )
    assert str(ModelNotFound("gone")) == "gone"
